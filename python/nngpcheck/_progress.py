"""Progress on a terminal and in a notebook."""

from __future__ import annotations

import sys
import time
from typing import Any, Callable, Optional, Union

from ._errors import InputError

Report = Callable[[Optional[float], str], None]


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


class _Line:
    """One line that is overwritten, from the first second on."""

    def __init__(self, notebook: bool) -> None:
        self._notebook = notebook
        self._start = time.monotonic()
        self._shown: Any = None  # something was

    def __call__(self, fraction: Optional[float], what: str) -> None:
        if time.monotonic() - self._start < 1:
            return
        line = what if fraction is None else f"{int(100 * fraction)} %: {what}"
        if self._notebook:
            from IPython.display import display

            content = {"text/plain": line}
            if self._shown is None:
                self._shown = display(content, raw=True, display_id=True)
            else:
                self._shown.update(content, raw=True)
        else:
            self._shown = True
            print(f"\r\x1b[K\x1b[?7l{line}\x1b[?7h", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._shown is None:
            return
        if self._notebook:
            self._shown.update({"text/plain": ""}, raw=True)
        else:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


class showing:
    """The function to report to while the block runs, or None; `progress` as users give it."""

    def __init__(self, progress: Union[None, bool, Report]) -> None:
        self._line = None
        if callable(progress):
            self._report: Optional[Report] = progress
        else:
            if progress not in (None, False, True):
                raise InputError(f"progress = {progress!r}: must be True, False or a function of (share or None, text)")
            notebook = _in_notebook()
            wanted = (notebook or sys.stderr.isatty()) if progress is None else progress
            self._report = self._line = _Line(notebook) if wanted else None

    def __enter__(self) -> Optional[Report]:
        return self._report

    def __exit__(self, *_: object) -> None:
        if self._line is not None:
            self._line.clear()
