"""Infinite-width kernels of neural networks, and whether wide random networks agree with them.

    kernel(arch, x1, x2=None)       the kernel of an architecture, with error bars
    check(kernel, model, x)         do networks of finite width agree with a kernel? The verdict, with stated error rates
    assert_kernel(kernel, model, x) the same in a test
    law(arch, x)                    how networks of finite width lie about their limit
    sample(arch, x, width, count)   kernels of random networks (where built with LibTorch)
    layers                          layers of architectures, as functions

Rows of arrays are samples. Everything raised derives from nngpcheck.Error. Ctrl-C stops whatever is computed.
"""

from __future__ import annotations

import numpy as _numpy

from . import _core

if not _core.takes_numpy_2 and int(_numpy.__version__.split(".")[0]) >= 2:
    raise ImportError(f"this nngpcheck was built with a pybind11 before 2.12, which does not know NumPy {_numpy.__version__}: "
                      "build it with a later pybind11 (pip install . brings one), or use numpy < 2")

from . import layers
from ._check import assert_kernel, check
from ._compute import kernel, law, program, sample
from ._core import Program
from ._core import version as __version__
from ._errors import (ComparisonError, Error, InputError, LimitError, NotBuiltError, ProgramError,
                      SamplerError)
from ._kernel import Kernel
from ._verdict import Verdict

__all__ = ["ComparisonError", "Error", "InputError", "Kernel", "LimitError", "NotBuiltError", "Program",
           "ProgramError", "SamplerError", "Verdict", "assert_kernel", "check", "kernel", "law", "layers",
           "program", "sample"]
