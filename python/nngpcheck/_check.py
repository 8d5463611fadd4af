"""Checks of kernels against random networks."""

from __future__ import annotations

import sys
from concurrent.futures import Executor
from typing import Any, Callable, Optional, Sequence, Union, cast

import numpy as np

from . import _core
from ._arch import Architecture, applied
from ._compute import sampler
from ._errors import InputError, integer
from ._kernel import as_kernel, described
from ._networks import Ladders, Networks
from ._progress import showing
from ._verdict import Verdict

#: Widths of networks that are drawn in Python, by matrices: precision is bought by more networks.
_WIDTHS = (32, 64, 128, 256, 512, 1024)


def check(kernel: Any, model: Union[Architecture, Callable[..., Any]], x: Any = None,
          tolerance: Optional[float] = None, *, resolution: float = 0.01, false_alarm: float = 1e-6, seed: int = 0,
          time: float = 120, widths: Optional[Sequence[int]] = None, ladders: Optional[int] = None,
          largest_width: Optional[int] = None, looked_at: Union[None, int, str] = None,
          processes: Union[int, Executor] = 1, precision: Optional[str] = None, name: Optional[str] = None,
          progress: Any = None, **inputs: Any) -> Verdict:
    """Is `kernel` the infinite-width limit of the networks of `model`?

    >>> check(kernel("mlp", x), make, x, resolution=0.05)     # doctest: +SKIP
    agree     make: no entry off by > 1.9 % of √(K_aa K_bb) (miss ≤ 1e-3, false alarm ≤ 1e-6); …

    Args:
        kernel: a `Kernel`, or a matrix [m, m] of NumPy, PyTorch, JAX or GPyTorch, or what neural-tangents returns.
        model: a function make(n) that returns a freshly initialised network of width n: a torch module, or a function
            of arrays; make(n)(x) is F [m, k] with k growing as n, the last hidden layer or many independent outputs,
            and the network's kernel K̂ = F Fᵀ/k. Before each call the global generators of Python, NumPy and PyTorch
            are seeded; a parameter of make that is called `seed` gets a seed of its own (JAX: PRNGKey(seed)).
            Or an architecture, see `program`, if this installation was built with LibTorch.
        x: what networks are given, one row per sample; arrays become tensors of the module's dtype for torch modules.
        tolerance: t. A kernel whose entries are all within t/2 of √(K_aa K_bb) is called wrong with probability ≤
            false_alarm, one with an entry off by more than t passes with probability ≤ 0.001. None: the kernel is to
            be the limit, up to its own error bars, and `agree` says that no entry is off by more than
        resolution: relative to √(K_aa K_bb).
        false_alarm: the probability of `disagree` if the kernel is right is at most this.
        seed: of the networks. Equal seeds, equal verdicts, unless time runs out.
        time: seconds; a round that would end later is not begun.
        widths, ladders, largest_width: where the search for widths begins, at least four; how many networks of each the
            first round draws; the widest allowed.
        looked_at: how many inputs, chosen at random, each round looks at, or "all"; default: all of up to 128, else 64.
        processes: networks are drawn in so many forked processes, or in an executor (then make must be picklable).
        precision: "float64" or "float32" of an architecture's networks; those of make(n) say it themselves.
        name: in the verdict; default: the model's.
        progress: see `kernel`.
        **inputs: of an architecture, see `program`.

    Returns:
        Verdict, which is true if it is `agree`.

    Raises:
        ComparisonError: if the kernel or an option is invalid.
        SamplerError: if networks are not as stated.
        NotBuiltError: for an architecture without LibTorch.
    """
    given = as_kernel(kernel)
    options = dict(tolerance=tolerance, resolution=resolution, false_alarm=false_alarm, time=time, ladders=ladders,
                   largest_width=largest_width, widths=_widths(widths),
                   inputs=len(given) if looked_at == "all" else looked_at)
    _validate(seed, precision, looked_at)
    if _is_factory(model):
        if inputs:
            raise TypeError(f"{', '.join(inputs)}: belongs to an architecture; make(n)(x) gets x as it is")
        return _check_networks(given, cast(Callable[..., Any], model), x, options, seed, processes, name, progress)
    if processes != 1:
        raise InputError("processes belongs to networks drawn by make(n); an architecture's use threads")
    drawn = sampler()
    what = applied(cast(Architecture, model), x, **inputs)
    if len(given) != len(what.program):
        raise InputError(f"the kernel is {len(given)}×{given.shape[1]}, but the architecture has {len(what.program)} "
                         "outputs on these inputs: give one row and column each")
    how = dict(options, seed=seed, groups=what.groups)
    sampling = dict(sampler="auto", precision=precision or "float64", threads=0)
    with showing(progress) as report:
        found = drawn.check(what.program, given, name or what.name, how, sampling, report)
    return Verdict(found, given)


def _is_factory(model: Any) -> bool:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(model, torch.nn.Module):
        raise InputError("the model is one module, but many are drawn: give a function make(n) that returns a freshly "
                         "initialised module of width n")
    return callable(model) and not isinstance(model, _core.Program)


def _widths(widths: Optional[Sequence[int]]) -> Optional[list]:
    if widths is None:
        return None
    if isinstance(widths, str) or not np.iterable(widths):
        raise InputError(f"widths = {widths!r}: must be a list of integers")
    return [integer("widths", width, 1, 2**31) for width in widths]


def _validate(seed: int, precision: Optional[str], looked_at: Union[None, int, str]) -> None:
    integer("seed", seed, 0)
    if precision not in (None, "float32", "float64"):
        raise InputError(f"precision = {precision!r}: must be 'float32' or 'float64'")
    if isinstance(looked_at, str) and looked_at != "all":
        raise InputError(f"looked_at = {looked_at!r}: must be a number of inputs, or 'all'")


def _check_networks(given: Any, make: Callable[..., Any], x: Any, options: dict, seed: int,
                    processes: Union[int, Executor], name: Optional[str], progress: Any) -> Verdict:
    if x is None:
        raise InputError("x is missing: what make(n)(x) is called with")
    if isinstance(x, (list, tuple)):
        x = np.asarray(x)
    if not hasattr(x, "__len__"):
        raise InputError(f"x is {described(x)}: give numbers, one row per sample")
    if len(x) != len(given):
        raise InputError(f"the kernel is {len(given)}×{given.shape[1]}, but x has {len(x)} rows: for {len(x)} samples "
                         f"it must be {len(x)}×{len(x)}")
    if not hasattr(processes, "submit"):
        processes = integer("processes", processes, 1, 4096)
    options = dict(options, widths=options["widths"] or list(_WIDTHS))
    networks = Networks(make, x, seed)
    networks.features(min(options["widths"]), 0)  # complains early, and tells the precision
    options["precision"] = networks.dtype.name
    called = name or str(getattr(make, "__name__", type(make).__name__))
    with showing(progress) as report, Ladders(networks, processes, report) as draw:
        found = _core.check(given, draw, called, options, report)
    return Verdict(found, given)


def assert_kernel(kernel: Any, model: Union[Architecture, Callable[..., Any]], x: Any = None,
                  tolerance: Optional[float] = None, *, inconclusive: str = "fails", seed: int = 0,
                  **options: Any) -> Verdict:
    """Asserts that `check(kernel, model, x, tolerance, seed=seed, **options)` agrees, with the evidence as the message.

    def test_kernel(nngpcheck_seed):                          # a fixture: pytest --nngpcheck-seed N
        nngpcheck.assert_kernel(my_kernel(x), make, x, tolerance=0.05, seed=nngpcheck_seed)

    Args:
        inconclusive: what an inconclusive verdict does: it "fails", or "passes".

    Returns:
        The verdict.

    Raises:
        AssertionError: otherwise.
    """
    __tracebackhide__ = True
    if inconclusive not in ("fails", "passes"):
        raise InputError(f"inconclusive = {inconclusive!r}: must be 'fails' or 'passes'")
    verdict = check(kernel, model, x, tolerance, seed=seed, **options)
    passes = verdict.verdict == "inconclusive" and inconclusive == "passes"
    if not verdict and not passes:
        raise AssertionError(f"{verdict.text}\n{verdict.table}  repeat with       seed {seed}")
    return verdict
