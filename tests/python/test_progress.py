import io
import sys
import types

import pytest

from nngpcheck import _progress


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(_progress.time, "monotonic", lambda: now[0])
    return now


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_a_line_after_a_second(monkeypatch, clock):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with _progress.showing(None) as report:
        report(None, "early")
        assert sys.stderr.getvalue() == ""
        clock[0] += 1.5
        report(0.25, "limit")
        assert "25 %: limit" in sys.stderr.getvalue()
    assert sys.stderr.getvalue().endswith("\r\x1b[K")


def test_elsewhere_nothing(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with _progress.showing(None) as report:
        assert report is None
    monkeypatch.setattr(sys, "stderr", Terminal())
    with _progress.showing(False) as report:
        assert report is None


def test_in_a_notebook_a_cell_that_changes(monkeypatch, clock):
    class ZMQInteractiveShell:
        pass

    shown = []

    def display(content, raw, display_id):
        shown.append(content["text/plain"])
        return types.SimpleNamespace(update=lambda content, raw: shown.append(content["text/plain"]))

    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=ZMQInteractiveShell))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    with _progress.showing(None) as report:
        clock[0] += 2
        report(None, "one")
        report(0.5, "two")
    assert shown == ["one", "50 %: two", ""]


def test_a_function_gets_it_all():
    seen = []
    with _progress.showing(lambda *what: seen.append(what)) as report:
        report(0.5, "half")
    assert seen == [(0.5, "half")]
