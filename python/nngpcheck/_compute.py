"""What the library computes: kernels, and networks' kernels."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from . import _core
from ._arch import Architecture, applied
from ._errors import InputError, NotBuiltError, integer
from ._kernel import Kernel
from ._progress import showing


def program(arch: Architecture, x: Any = None, *, experiment: Optional[str] = None, grid: Any = None,
            layout: Optional[str] = None, flat: Optional[bool] = None, lengths: Any = None,
            batch_size: Optional[int] = None, edges: Any = None, directed: bool = False,
            graph_sizes: Any = None, labels: Any = None) -> _core.Program:
    """The program of an architecture applied to inputs; str() shows it. Functions that take an architecture take
    these keywords, too.

    Args:
        arch: the keys of an [architecture] table as a dict, {"name": "mlp", "depth": 2}; a list of layers,
            [layers.dense(), layers.activation("relu")]; a name, "gru"; TOML text; a path of a .toml
            file, or of a program: .netsor, .nngp; or a program.
        x: the samples: vectors [samples, d], sequences [samples, tokens, d] or a list of arrays [tokens, d], images
            [samples, channels, height, width] or with the channels last. Bytes stay 0 … 255. None: the inputs that
            the file names or has.
        experiment: which one of a .toml file of several.
        grid: [8, 8], if rows are samples on such a grid.
        layout: "channels_first" or "channels_last", where that is not sure from the shape.
        flat: True: images and sequences become vectors.
        lengths: how many tokens of each sequence count.
        batch_size: samples 0, …, batch_size − 1 are one batch for batch normalization, and so on; default: all.
        edges: of a graph whose nodes are the rows of x: (source, target) or (source, target, weight) each.
        directed: True: an edge leads from source to target only.
        graph_sizes: numbers of nodes of several graphs, whose nodes stand one after the other; default: one graph.
        labels: one name per row, or per token or position.

    Raises:
        InputError: for whatever does not fit; the message says what would.
    """
    return applied(arch, x, experiment=experiment, grid=grid, layout=layout, flat=flat, lengths=lengths,
                   batch_size=batch_size, edges=edges, directed=directed,
                   graph_sizes=graph_sizes, labels=labels).program


def kernel(arch: Architecture, x1: Any = None, x2: Any = None, *, tolerance: Optional[float] = None,
           points: Optional[int] = None, randomizations: int = 16, seed: int = 0, threads: int = 0,
           progress: Any = None, **inputs: Any) -> Kernel:
    """The Gaussian-process kernel of an architecture's infinitely wide networks, with error bars.

    >>> kernel("mlp", [[1.0, 0.0], [0.0, 1.0]])[0, 0]
    0.25

    Args:
        arch, x1, **inputs: see `program`.
        x2: the columns of a block K(x1, x2), such as train samples beside test samples; default: x1.
        tolerance, points, randomizations, seed: of kernels that are sampled (recurrent gates, attention): the largest
            standard error wanted, relative to √(K_aa K_bb); or points per randomization, a power of two. Default:
            5e-5 is aimed at.
        threads: 0: all.
        progress: True or False: shown or not, default: on a terminal and in a notebook, after a second; or a function
            of the share that is done (or None) and of what is being done.

    Returns:
        Kernel [outputs, outputs], or [outputs of x1, outputs of x2]: one output per sample, or per token, position
        or node, if the architecture keeps them apart. The same numbers as `nngpcheck kernel` gives, to the last bit.

    Raises:
        InputError: for whatever does not fit.
        LimitError: if there is no limit, or it cannot be computed as asked.
    """
    options = dict(tolerance=tolerance, points=points, randomizations=randomizations, seed=seed,
                   threads=integer("threads", threads, 0, 65536))
    what = applied(arch, x1, x2, **inputs)
    with showing(progress) as report:
        if what.block is None:
            return Kernel(**_core.limit(what.program, options, report))
        return Kernel(**_core.limit_block(what.program, *what.block, options, report))


def law(arch: Architecture, x: Any = None, *, bias: bool = True, points: Optional[int] = None, randomizations: int = 8,
        seed: int = 0, threads: int = 0, progress: Any = None, **inputs: Any) -> Any:
    """How the kernels K̂ of random networks of width n lie about their limit K, to first order in 1/n.

    Args:
        arch, x, **inputs: see `program`.
        bias: whether B of E K̂ = K + B/n is wanted, too.
        points, randomizations, seed, threads, progress: see `kernel`.

    Returns:
        Law, with c of E‖K̂ − K‖² = C/n, bias, eigenvalues, and the widths that an error takes: width_for(0.01).

    Raises:
        LimitError: where there is no limit, C is infinite, or a derivative does not exist.
    """
    compute = getattr(_core, "law", None)
    if compute is None:
        raise NotBuiltError("this version knows no finite-width law")
    what = applied(arch, x, **inputs)
    options = dict(bias=bias, points=points, randomizations=randomizations, seed=seed, threads=threads)
    with showing(progress) as report:
        return compute(what.program, options, report)


def sampler() -> Any:
    """The module with the samplers, which links LibTorch."""
    try:
        from . import _sampler
    except ImportError as error:
        raise NotBuiltError(
            "this nngpcheck was built without LibTorch and draws no networks of architectures: give the networks as a "
            "function make(n), use the command line (`nngpcheck check`), or build it in by pip install . "
            f"--config-settings=cmake.define.NNGPCHECK_LIBTORCH=ON ({error})") from None
    return _sampler


def sample(arch: Architecture, x: Any = None, width: int = 1024, count: int = 1, *, seed: int = 0, first: int = 0,
           sampler_kind: str = "auto", precision: str = "float64", threads: int = 0, progress: Any = None,
           **inputs: Any) -> np.ndarray:
    """Kernels of random networks of that width, without their weight matrices where that is cheaper.

    Args:
        arch, x, **inputs: see `program`.
        width: n.
        count: networks first, …, first + count − 1; a network is a function of (width, seed, number).
        sampler_kind: "auto", "exact" (without matrices) or "dense".
        precision: "float64" or "float32".

    Returns:
        float64 [count, outputs, outputs].

    Raises:
        NotBuiltError: if this installation was built without LibTorch.
        SamplerError: for networks that cannot be drawn.
    """
    options = dict(sampler=sampler_kind, precision=precision, threads=integer("threads", threads, 0, 65536))
    for name, allowed in (("sampler_kind", ("auto", "exact", "dense")), ("precision", ("float64", "float32"))):
        given = sampler_kind if name == "sampler_kind" else precision
        if given not in allowed:
            raise InputError(f"{name} = {given!r}: must be one of {', '.join(allowed)}")
    width = integer("width", width, 1, 2**31)
    count, first = integer("count", count, 0, 2**40), integer("first", first, 0, 2**62)
    seed = integer("seed", seed, 0, 2**64 - 1)
    drawn = sampler()
    what = applied(arch, x, **inputs)
    with showing(progress) as report:
        return drawn.sample(what.program, width, seed, first, count, options, report)
