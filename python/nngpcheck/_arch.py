"""Architectures and inputs, as Python has them, become programs."""

from __future__ import annotations

import json
import os
import re
import warnings
from typing import Any, List, Optional, Sequence, Tuple, Union

import numpy as np

from . import _core
from ._errors import InputError
from ._kernel import described, plain

Architecture = Union[str, os.PathLike, dict, Sequence[dict], "_core.Program"]


class Applied:
    """A program, and the labels of the rows and columns of the block that is wanted, if one is."""

    def __init__(self, program: Any, name: str, lengths: Sequence[int] = (),
                 block: Optional[Tuple[List[str], List[str]]] = None) -> None:
        self.program, self.name, self.block = program, name, block
        #: The sequence of each output, where outputs are tokens.
        tokens = sum(lengths) == len(program)
        self.groups = [k for k, length in enumerate(lengths) for _ in range(length)] if tokens else []


def _path_of(arch: Any) -> Optional[str]:
    if isinstance(arch, os.PathLike):
        return os.fspath(arch)
    is_path = isinstance(arch, str) and "\n" not in arch and arch.endswith((".toml", ".netsor", ".nngp"))
    return arch if is_path else None


def _model(arch: Any, experiment: Optional[str]) -> Any:
    path = _path_of(arch)
    if path is not None:
        try:
            with open(path, encoding="utf-8") as file:
                return _core.model_of_toml(file.read(), path, experiment)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read: {error}") from None
    if experiment is not None:
        raise InputError(f"experiment = {experiment!r} belongs to a file of experiments; leave it out")
    source = "the architecture"
    if isinstance(arch, str):
        try:
            arch.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{source}: is no text: {error}") from None
        if not re.fullmatch(r"\w+", arch):
            return _core.model_of_toml(arch, source, None)
        arch = {"name": arch}
    if isinstance(arch, (list, tuple)):
        arch = {"layers": list(arch)}
    if not isinstance(arch, dict):
        raise InputError(f"an architecture is a dict, a list of layers, TOML text, a name or a path, "
                         f"not {type(arch).__name__}")
    try:
        return _core.model_of_json(json.dumps(arch, allow_nan=False, default=_number), source)
    except (TypeError, ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{source}: {error}; give numbers, strings, booleans, lists and dicts") from None


def _number(value: Any) -> Any:
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim <= 1):
        return value.tolist()
    raise TypeError(f"{value!r} is no value of an option")


def _stacked(x: Any, keys: dict, name: str) -> np.ndarray:
    """One array; a list of sequences [tokens, d] of different lengths is padded."""
    if isinstance(x, (list, tuple)) and x and all(np.ndim(plain(one)) == 2 for one in x):
        sequences = [plain(one) for one in x]
        if len({one.shape[1] for one in sequences}) > 1:
            raise InputError(f"{name} holds sequences of tokens of different dimensions; give one")
        if keys.get("lengths") is not None:
            raise InputError(f"lengths: the arrays in {name} say their lengths themselves; leave it out")
        keys["lengths"] = [len(one) for one in sequences]
        result = np.zeros((len(sequences), max(keys["lengths"]), sequences[0].shape[1]))
        for row, one in zip(result, sequences):
            row[:len(one)] = one
        return result
    try:
        array = plain(x)
    except InputError:
        raise
    except ValueError:
        raise InputError(f"{name} has rows of different lengths, or no numbers: give one row per sample, or a list of "
                         "sequences [tokens, d]") from None
    if array.dtype.kind not in "fiub" or array.ndim == 0 or array.size == 0:
        raise InputError(f"{name} is {described(x, array)}: give numbers, one row per sample, or a list of sequences "
                         "[tokens, d]")
    return array


def _inputs(x: Any, model: Any, name: str, keys: dict) -> Any:
    keys = dict(keys)
    array = _stacked(x, keys, name)
    read = _core.inputs(array, model.reads, name, keys)
    if read.doubt:
        warnings.warn(f"not sure: {read.doubt}", stacklevel=5)
    return read


def applied(arch: Architecture, x1: Any, x2: Any = None, *, experiment: Optional[str] = None, grid: Any = None,
            layout: Optional[str] = None, flat: Optional[bool] = None, lengths: Any = None,
            batch_size: Optional[int] = None, edges: Any = None, directed: bool = False,
            graph_sizes: Any = None, labels: Optional[Sequence[str]] = None, **unknown: Any) -> Applied:
    if unknown:
        raise TypeError(f"unexpected keyword argument {', '.join(unknown)}; inputs take experiment, grid, layout, flat, "
                        "lengths, batch_size, edges, directed, graph_sizes and labels")
    if isinstance(arch, _core.Program):
        if x1 is not None:
            raise InputError("a program has its inputs already; leave x out")
        return Applied(arch, "program")
    path = _path_of(arch)
    is_program = path is not None and path.endswith((".netsor", ".nngp"))
    if x1 is None:
        if path is None:
            raise InputError("x1 is missing; only files have inputs of their own")
        read = _core.experiment(path, experiment)
        if read.doubt:
            warnings.warn(f"not sure: {read.doubt}", stacklevel=4)
        return Applied(read.program, read.name, read.lengths)
    if is_program:
        raise InputError(f"{path}: a program has its inputs already; leave x out")
    model = _model(arch, experiment)
    keys = dict(grid=grid, layout=layout, flat=flat, lengths=lengths, batch_size=batch_size, labels=labels,
                edges=edges, directed=directed, graph_sizes=graph_sizes)
    rows = _inputs(x1, model, "x1", keys)
    if x2 is None:
        return Applied(_core.program(model, rows), model.name, rows.lengths)
    keys.update(lengths=None, labels=None)
    columns = _inputs(x2, model, "x2", keys)
    labelled = _core.program(model, rows).labels, _core.program(model, columns).labels
    return Applied(_core.joined_program(model, rows, columns), model.name, block=labelled)
