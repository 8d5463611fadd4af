import os
import subprocess

import numpy as np
import pytest


@pytest.fixture
def points():
    """Three vectors of two numbers."""
    return np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


@pytest.fixture(scope="session")
def command_line():
    """Runs the executable of this build, if there is one."""
    executable = os.environ.get("NNGPCHECK_EXECUTABLE")
    if not executable or not os.path.exists(executable):
        pytest.skip("there is no executable in this build")

    def run(*arguments):
        done = subprocess.run([executable, *map(str, arguments)], capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture(scope="session")
def with_sampler():
    pytest.importorskip("nngpcheck._sampler", reason="built without LibTorch")
