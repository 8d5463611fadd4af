"""Kernels with error bars."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any, List, Optional

import numpy as np

from . import _core
from ._errors import InputError


@dataclass(frozen=True, eq=False, repr=False)
class Kernel:
    """A kernel with its error bars: what is true is ``value`` + κ entrywise, up to ``error_bound``, where κ has
    mean zero and standard deviation ``standard_error``. ``np.asarray(kernel)`` is its value.

    Attributes:
        value: float64 [m, m], or [m, k] of a block.
        standard_error, error_bound: of the same shape; zeros if they were left out.
        repeats: how many independent values the standard error was estimated from; 0: it is known.
        labels: one per row, or none.
        columns: one per column; none: those of the rows.
        method: how it was computed, in a line.
    """

    value: np.ndarray
    standard_error: np.ndarray = None  # type: ignore[assignment]
    error_bound: np.ndarray = None  # type: ignore[assignment]
    repeats: int = 0
    labels: List[str] = field(default_factory=list)
    columns: List[str] = field(default_factory=list)
    method: str = ""

    def __post_init__(self) -> None:
        value = _matrix(self.value, "value")
        object.__setattr__(self, "value", value)
        for name in ("standard_error", "error_bound"):
            given = getattr(self, name)
            bars = np.zeros(value.shape) if given is None else _matrix(given, name)
            if bars.shape != value.shape:
                raise InputError(f"the kernel's {name} has shape {bars.shape}: it must be {value.shape} like the "
                                 "kernel, or left out")
            object.__setattr__(self, name, bars)

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> np.ndarray:
        return np.array(self.value, dtype=dtype) if copy else np.asarray(self.value, dtype=dtype)

    @property
    def shape(self) -> tuple:
        return self.value.shape

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, index: Any) -> Any:
        return self.value[index]

    def __repr__(self) -> str:
        size = "×".join(map(str, self.shape))
        how = f", {self.method}" if self.method else ""
        return (f"<Kernel {size}{how}; error bound at most {self.error_bound.max():.2g}, "
                f"standard error at most {self.standard_error.max():.2g}>\n{self.value}")


def plain(array: Any) -> np.ndarray:
    """A NumPy array of whatever holds numbers: NumPy, PyTorch, JAX, pandas, lists."""
    if hasattr(array, "to_dense") and not isinstance(array, np.ndarray):  # GPyTorch's lazy matrices
        array = array.to_dense()
    if hasattr(array, "detach"):
        array = array.detach().cpu()
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        raise InputError("an array has masked entries; fill them, or leave out their rows")
    return np.asarray(array)


def _array(given: Any, name: str) -> np.ndarray:
    try:
        return plain(given)
    except ValueError as error:
        raise InputError(f"the kernel's {name} is no matrix: {error}") from None


def _matrix(given: Any, name: str) -> np.ndarray:
    matrix = _array(given, name)
    while matrix.ndim > 2 and matrix.shape[-1] == 1:  # neural-tangents' (m, m, 1, 1)
        matrix = matrix[..., 0]
    if matrix.ndim != 2 or matrix.dtype.kind not in "fiu" or matrix.size == 0:
        raise InputError(f"the kernel's {name} is {described(given, matrix)}: it must be a matrix of numbers")
    return matrix.astype(np.float64, copy=False)


def described(given: Any, array: Optional[np.ndarray] = None) -> str:
    """What was given, in words; `array` is NumPy's idea of it."""
    if array is None or (array.ndim == 0 and not isinstance(given, np.ndarray)):
        return f"of type {type(given).__name__}"
    return f"an array of {array.dtype} of shape {array.shape}"


def as_kernel(kernel: Any) -> Kernel:
    """A kernel to be checked. A matrix of single precision is symmetric up to its rounding only."""
    if isinstance(kernel, Kernel):
        return kernel
    if hasattr(kernel, "nngp"):  # what neural-tangents' kernel_fn(x) returns
        kernel = kernel.nngp
    array = _array(kernel, "value")
    epsilon = float(np.finfo(array.dtype).eps) if array.dtype.kind == "f" else sys.float_info.epsilon
    return Kernel(**_core.given_kernel(_matrix(kernel, "value"), epsilon))
