"""Networks that are drawn in Python: K̂ = F Fᵀ/k, F = make(n)(x) [samples, k]."""

from __future__ import annotations

import contextlib
import inspect
import multiprocessing
import random
import signal
import sys
import time
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple, Union

import numpy as np

from ._errors import SamplerError
from ._kernel import plain


def _seed_of(seed: int, width: int, number: int) -> int:
    """63 bits for each network."""
    return int(np.random.SeedSequence([seed, width, number]).generate_state(1, np.uint64)[0] >> np.uint64(1))


@contextlib.contextmanager
def _generators_kept() -> Iterator[None]:
    """Afterwards the global generators, and PyTorch's default dtype, are what they were."""
    torch = sys.modules.get("torch")
    before = random.getstate(), np.random.get_state()
    if torch:
        torch_before = torch.random.get_rng_state(), torch.get_default_dtype()
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        if torch:
            torch.random.set_rng_state(torch_before[0])
            torch.set_default_dtype(torch_before[1])


def _seed_generators(seed: int) -> None:
    random.seed(seed)
    np.random.seed([seed & 0xFFFFFFFF, seed >> 32])
    torch = sys.modules.get("torch")
    if torch:
        torch.random.default_generator.manual_seed(seed)


class Networks:
    """The networks of a factory. `make` gets the width, and a seed of its own if it has a parameter of that name."""

    def __init__(self, make: Callable[..., Any], x: Any, seed: int) -> None:
        self._make, self._x, self._seed = make, x, seed
        try:
            self._takes_seed = "seed" in inspect.signature(make).parameters
        except (TypeError, ValueError):
            self._takes_seed = False
        self._columns: Dict[int, int] = {}  # k by width
        self._first: Dict[int, Tuple[int, np.ndarray]] = {}  # by width: a network's number and features
        self.dtype = np.dtype(np.float64)  # of the features

    def _inputs_for(self, network: Any) -> Any:
        """A copy: networks may work in place."""
        torch = sys.modules.get("torch")
        if torch is None:
            return self._x.copy() if isinstance(self._x, np.ndarray) else self._x
        if isinstance(self._x, torch.Tensor):
            return self._x.detach().clone()
        if isinstance(network, torch.nn.Module):
            parameter = next(network.parameters(), None)
            how = {} if parameter is None else {"dtype": parameter.dtype, "device": parameter.device}
            return torch.tensor(np.asarray(self._x), **how)
        return self._x.copy() if isinstance(self._x, np.ndarray) else self._x

    def _outputs(self, width: int, number: int) -> np.ndarray:
        seed = _seed_of(self._seed, width, number)
        _seed_generators(seed)
        torch = sys.modules.get("torch")
        if torch is None:
            return self._applied(width, number, seed)
        if isinstance(self._x, torch.Tensor) and self._x.is_floating_point():
            torch.set_default_dtype(self._x.dtype)  # in which modules are made
        with torch.no_grad():
            return self._applied(width, number, seed)

    def _applied(self, width: int, number: int, seed: int) -> np.ndarray:
        network = self._make(width, seed=seed) if self._takes_seed else self._make(width)
        if not callable(network):
            raise SamplerError(f"width {width}, network {number}: make({width}) returned {type(network).__name__}, "
                               "which cannot be called; return a torch module or a function of the inputs")
        return plain(network(self._inputs_for(network)))

    def features(self, width: int, number: int) -> np.ndarray:
        """F [samples, k], float64."""
        with _generators_kept():
            return self._features(width, number)

    def _features(self, width: int, number: int) -> np.ndarray:
        where = f"width {width}, network {number}: "
        drawn = self._outputs(width, number)
        samples = len(self._x)
        if drawn.ndim != 2 or drawn.shape[0] != samples or drawn.shape[1] == 0:
            raise SamplerError(f"{where}the network maps {samples} samples to an array of shape {drawn.shape}: it must "
                               f"be ({samples}, k), one row per sample; flatten or pool what else there is")
        if drawn.dtype not in (np.float32, np.float64):
            raise SamplerError(f"{where}the network returns {drawn.dtype}: it must compute in float32 or float64")
        self.dtype = drawn.dtype
        result = drawn.astype(np.float64, copy=False)
        if not np.isfinite(result).all():
            raise SamplerError(f"{where}the network's output is not finite everywhere; check its initialisation")
        self._check_growth(where, width, drawn.shape[1])
        self._check_difference(where, width, number, result)
        return result

    def _check_growth(self, where: str, width: int, k: int) -> None:
        self._columns[width] = k
        for other, columns in self._columns.items():
            if (other < width and columns >= k) or (other > width and columns <= k):
                raise SamplerError(f"{where}the network returns k = {k} columns at width {width} and {columns} at "
                                   f"width {other}: F Fᵀ/k has a limit only if k grows with the width; return the "
                                   "last hidden layer, or make the number of outputs a multiple of the width")

    def _check_difference(self, where: str, width: int, number: int, features: np.ndarray) -> None:
        first, there = self._first.setdefault(width, (number, features))
        if first != number and features.any() and np.array_equal(features, there):
            raise SamplerError(f"{where}the output is exactly that of network {first}: make(n) must initialise a new "
                               "network at every call, and draw from the global generators without seeding them, or "
                               "from its parameter seed")

    def kernels(self, width: int, numbers: range, inputs: List[int],
                tell: Callable[[int], None] = lambda done: None) -> np.ndarray:
        """The entries of their kernels between these inputs (none: all), a row per network."""
        size = len(inputs) or len(self._x)
        triangle = np.tril_indices(size)  # of a symmetric matrix: the upper one, column by column
        result = np.empty((len(numbers), len(triangle[0])))
        with _generators_kept():
            for row, number in enumerate(numbers):
                features = self._features(width, number)
                if inputs:
                    features = features[inputs]
                result[row] = (features @ features.T / features.shape[1])[triangle]
                tell(row + 1)
        return result


_networks: Optional[Networks] = None  # of a process that draws for another


def _begin(networks: Networks) -> None:
    global _networks
    _networks = networks
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops us
    torch = sys.modules.get("torch")
    if torch:
        torch.set_num_threads(1)  # the others would be of the parent


def _draw_in_child(width: int, numbers: range, inputs: List[int]) -> np.ndarray:
    assert _networks is not None
    return _networks.kernels(width, numbers, inputs)


def _draw(networks: Networks, width: int, numbers: range, inputs: List[int]) -> np.ndarray:
    return networks.kernels(width, numbers, inputs)


class Ladders:
    """Draws what the check asks for, here or in processes."""

    def __init__(self, networks: Networks, processes: Union[int, Executor], report: Any) -> None:
        self._networks, self._report = networks, report
        self._told = 0.0
        self._pool: Optional[Executor] = None
        self._own = isinstance(processes, int)
        self._parts = 2 * processes if isinstance(processes, int) else 32
        if not isinstance(processes, int):
            self._pool = processes
        elif processes > 1:
            # Forked, so that functions of a notebook need not be pickled.
            self._pool = ProcessPoolExecutor(processes, multiprocessing.get_context("fork"), initializer=_begin,
                                             initargs=(networks,))

    def __enter__(self) -> "Ladders":
        return self

    def __exit__(self, *_: Any) -> None:
        if self._own and self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _tell(self, purpose: str, width: int, done: int, count: int) -> None:
        now = time.monotonic()
        if self._report is not None and now - self._told > 0.1:
            self._told = now
            self._report(None, f"{purpose}: width {width}, {done} of {count} networks")

    def __call__(self, widths: List[int], first: int, count: int, inputs: List[int],
                 purpose: str) -> List[np.ndarray]:
        numbers = range(first, first + count)
        if self._pool is not None:
            return self._in_pool(self._pool, widths, numbers, inputs, purpose)
        result = []
        for width in widths:
            def tell(done: int, width: int = width) -> None:
                self._tell(purpose, width, done, count)

            result.append(self._networks.kernels(width, numbers, inputs, tell))
        return result

    def _in_pool(self, pool: Executor, widths: List[int], numbers: range, inputs: List[int],
                 purpose: str) -> List[np.ndarray]:
        size = -(-len(numbers) // self._parts)
        parts = [numbers[k:k + size] for k in range(0, len(numbers), size)]
        futures = {}
        for width in reversed(widths):  # the widest take longest
            for part in parts:
                futures[width, part] = (pool.submit(_draw_in_child, width, part, inputs) if self._own else
                                        pool.submit(_draw, self._networks, width, part, inputs))
        result = []
        for width in widths:
            drawn = []
            for part in parts:
                drawn.append(futures[width, part].result())
                self._tell(purpose, width, part.stop - numbers.start, len(numbers))
            result.append(np.concatenate(drawn))
        return result
