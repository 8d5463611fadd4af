"""Ctrl-C, in a process of its own as a shell has it."""

import os
import signal
import subprocess
import sys
import time

import pytest

BEFORE = """
import time, numpy as np, nngpcheck
x = np.random.default_rng(0).normal(size=(8, 8, 4))
rows = x[:, 0]
kernel = nngpcheck.kernel("mlp", rows)

def make(n):
    time.sleep(0.002)  # so that thousands of networks take longer than the test waits
    weights = np.random.normal(size=(4, n)) / 2
    return lambda given: np.maximum(given @ weights, 0)

print("ready", flush=True)
"""


@pytest.mark.parametrize("work", [
    'nngpcheck.kernel("lstm", x, points=2**19)',
    "nngpcheck.check(kernel, make, rows, resolution=1e-5)",
    "nngpcheck.check(kernel, make, rows, resolution=1e-5, processes=2)",
    'nngpcheck.check(kernel, "mlp", rows, resolution=1e-6)',
    'nngpcheck.sample("lstm", x[:1], 4096, 10**5)',
])
def test_ctrl_c_ends(work, request):
    if '"mlp", rows, res' in work or "sample" in work:
        request.getfixturevalue("with_sampler")
    child = subprocess.Popen([sys.executable, "-c", BEFORE + work], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             start_new_session=True)
    assert child.stdout.readline() == "ready\n"
    time.sleep(1)
    assert child.poll() is None, child.stderr.read()
    os.killpg(child.pid, signal.SIGINT)  # a terminal sends it to all of the group
    start = time.monotonic()
    _, said = child.communicate(timeout=60)
    assert time.monotonic() - start < 20  # of minutes, or for ever
    assert child.returncode in (1, -signal.SIGINT) and said.rstrip().endswith("KeyboardInterrupt"), said
