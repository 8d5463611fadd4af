"""What this package raises. Messages name the file, key, argument or entry, the problem and the remedy."""


from __future__ import annotations

import operator
from typing import Any, Optional


class Error(Exception):
    """Base of all of them."""


class InputError(Error, ValueError):
    """A file, a key of an architecture or an argument is not what it must be."""


class ProgramError(Error, ValueError):
    """A program that may not be built, or a width at which it may not be run."""


class LimitError(Error):
    """A limit that does not exist or cannot be computed as asked."""


class SamplerError(Error):
    """A network that cannot be drawn as asked."""


class ComparisonError(Error, ValueError):
    """A check that cannot be made as asked."""


class NotBuiltError(Error, ImportError):
    """A part that this installation was built without."""


def integer(name: str, value: Any, least: int, most: Optional[int] = None) -> int:
    """An argument that is an integer. Raises InputError."""
    span = f"an integer of at least {least}" if most is None else f"an integer from {least} to {most}"
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least or (most is not None and number > most):
        raise InputError(f"{name} = {value!r}: must be {span}")
    return number


for _error in (Error, InputError, ProgramError, LimitError, SamplerError, ComparisonError, NotBuiltError):
    _error.__module__ = "nngpcheck"
