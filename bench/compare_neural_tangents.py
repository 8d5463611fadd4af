#!/usr/bin/env python3
"""Kernels by nngpcheck and by neural-tangents, side by side in one run, as a Markdown table.

usage: PYTHONPATH=build/release/python compare_neural_tangents.py [--repeat 5] [--limit 120] [--threads 2] [ROW...]
       PYTHONPATH=build/release/python compare_neural_tangents.py --growth

Needs NumPy; neural-tangents (PyPI; 0.6.5 with jax 0.4.28) in the same Python, or its columns are empty. Each side of a row is a
process of its own on the same processors: wall time, the best of REPEAT (as many as fit into LIMIT seconds); ours after
start-up, the peer's compiled and with its inputs in memory, what that took being "compile"; MB is the process's peak. "least"
is what the row's multiply-adds and bytes take at this machine's measured peaks, see `Row`. "off" is the largest difference
between the two, relative to √(K_aa K_bb), where our kernel is not sampled. Nothing else may run meanwhile.

--growth fits how the CPU seconds of ours grow, with what they should grow with.
"""

import argparse
import importlib.util
import json
import math
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Callable, Optional

import numpy as np

DUAL = 20  # multiply-adds of one E φ(u)φ(v): a root, an arcus and a dozen others
RELU, ERF, GELU, TANH = "relu", "erf", "gelu", "tanh"


@dataclass
class Row:
    """One task. `flops` counts multiply-adds of the entries that are asked for, each once (kernels are symmetric, a separable
    window of k × k costs 2 k, an expectation DUAL), `bytes` what has to pass through memory: inputs and result."""

    name: str
    inputs: tuple
    layers: list
    peer: Optional[Callable[[Any], Any]]
    flops: Optional[float] = None
    keys: Optional[dict] = None
    batch: int = 0  # the peer's, where all at once do not fit
    monte_carlo: int = 0

    @property
    def bytes(self):
        return 8 * (math.prod(self.inputs) + self.inputs[0]**2)


def dense(variance=1.5, bias=0.1):
    return {"type": "dense", "weight_variance": variance, "bias_variance": bias}


def conv(variance=1.5, bias=0.1):
    return {"type": "conv", "kernel": [3, 3], "padding": "same", "weight_variance": variance, "bias_variance": bias}


def act(name):
    return {"type": "activation", "activation": name}


def theirs(layers):
    """stax's layers of ours."""
    from neural_tangents import stax
    import jax

    phis = {RELU: stax.Relu, ERF: stax.Erf, GELU: stax.Gelu, TANH: lambda: stax.ElementwiseNumerical(jax.numpy.tanh, 25)}

    def one(layer):
        deviations = {"W_std": math.sqrt(layer.get("weight_variance", 1)), "b_std": math.sqrt(layer.get("bias_variance", 0))}
        kind = layer["type"]
        if kind == "dense":
            return stax.Dense(1024, **deviations)
        if kind == "conv":
            return stax.Conv(1024, (3, 3), None, "SAME", **deviations)
        if kind == "activation":
            return phis[layer["activation"]]()
        if kind == "residual":
            return stax.serial(stax.FanOut(2), stax.parallel(theirs(layer["layers"]), stax.Identity()), stax.FanInSum())
        if kind == "self_attention":
            root = deviations["W_std"]
            return stax.GlobalSelfAttention(1, 1, 1, 1, linear_scaling=True, W_key_std=root, W_query_std=root,
                                            W_value_std=root, W_out_std=root)
        return {"global_avg_pool": stax.GlobalAvgPool, "flatten": stax.Flatten}[kind]()

    return stax.serial(*map(one, layers))


def pairs(n):
    return n * (n + 1) / 2


def mlp(phi, n, depth, d=784):
    layers = [dense(), act(phi)] * depth
    return Row(f"MLP {phi}, {n:,} inputs × {d}, depth {depth}", (n, d), layers, theirs, pairs(n) * (d + depth * DUAL))


def cnn(images, end, batch=0, size=32):
    entries = size**4 if end == "global_avg_pool" else size**2
    layers = [conv(), act(RELU)] * 3 + [{"type": end}]
    return Row(f"CNN, 3 × (3×3 conv, relu), {end}, {images} images {size}×{size}×3", (images, 3, size, size), layers, theirs,
               pairs(images) * entries * (3 + 3 * (6 + DUAL)), {"layout": "channels_first"}, batch)


def resnet(images, size=16):
    block = {"type": "residual", "layers": [act(RELU), conv(), act(RELU), conv()]}
    layers = [conv(), block, block, act(RELU), {"type": "global_avg_pool"}]
    return Row(f"ResNet, two blocks, {images} images {size}×{size}×3", (images, 3, size, size), layers, theirs,
               pairs(images) * size**4 * (3 + 5 * 6 + 5 * DUAL), {"layout": "channels_first"})


def attention(sequences=100, tokens=32, d=64):
    layers = [dense(), act(RELU), {"type": "self_attention", "weights": "tied", "scaling": "1/n", "weight_variance": 1.0},
              act(RELU), {"type": "global_avg_pool"}]
    return Row(f"tied attention, {sequences} × {tokens} tokens", (sequences, tokens, d), layers, theirs,
               pairs(sequences) * tokens**2 * (d + 2 * tokens + 2 * DUAL))


def recurrent(kind, tokens, phi=None):
    layer = {"type": kind} if phi is None else {"type": kind, "activation": phi}
    return Row(f"{phi or kind} {'RNN' if phi else ''}, one sequence, T = {tokens}".replace(" ,", ","), (1, tokens, 8),
               [layer, {"type": "last"}], None, pairs(tokens) * (8 + DUAL) if phi else None)


def rows():
    for phi in (RELU, ERF, GELU):
        yield mlp(phi, 2000, 10)
    yield mlp(TANH, 200, 3)
    yield mlp(RELU, 5000, 3)
    yield cnn(8, "global_avg_pool")
    yield cnn(20, "global_avg_pool", batch=4)
    yield cnn(2, "flatten")
    yield cnn(8, "flatten")
    yield resnet(8)
    yield attention()
    sampled = mlp(RELU, 20, 3, 64)
    sampled.name, sampled.flops, sampled.monte_carlo = "100 random networks of width 1024, MLP relu, depth 3", None, 100
    yield sampled
    for tokens in (10, 20, 40, 100, 300):
        yield recurrent("gru", tokens)
    for tokens in (80, 300):
        yield recurrent("simple_rnn", tokens, TANH)
    yield recurrent("simple_rnn", 300, ERF)


def data(row):
    """Images are smooth, so that no entry is trivial."""
    x = np.random.default_rng(1).normal(size=row.inputs)
    return x + x.mean(axis=0)


def ours_once(row, threads):
    import nngpcheck

    if row.monte_carlo:
        return lambda x: nngpcheck.sample(row.layers, x, 1024, row.monte_carlo, seed=1, threads=threads).mean(axis=0)
    return lambda x: nngpcheck.kernel(row.layers, x, threads=threads, progress=False, **(row.keys or {}))


def peers_once(row):
    import jax

    jax.config.update("jax_enable_x64", True)
    import neural_tangents as nt

    init, apply, kernel = row.peer(row.layers)
    if row.monte_carlo:
        sampled = nt.monte_carlo_kernel_fn(init, apply, jax.random.PRNGKey(1), row.monte_carlo)
        return lambda x: sampled(x, None, "nngp").block_until_ready()
    compute = jax.jit(lambda x1, x2: kernel(x1, x2, "nngp")) if not row.batch else nt.batch(
        lambda x1, x2, get: kernel(x1, x2, get), batch_size=row.batch, device_count=0)
    if row.batch:
        return lambda x: jax.block_until_ready(compute(x, x, "nngp"))
    return lambda x: compute(x, None).block_until_ready()


def measure(row, side, options, result):
    """In a process of its own: writes the kernel to a file, and returns seconds and megabytes."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:options.threads])
    x = data(row)
    compute = ours_once(row, options.threads) if side == "ours" else peers_once(row)
    if side == "peer":
        import jax

        x = jax.numpy.asarray(np.moveaxis(x, 1, -1) if x.ndim == 4 else x)
    begin, times = time.perf_counter(), []
    while len(times) < options.repeat + (side == "peer") and (not times or time.perf_counter() - begin < options.limit / 2):
        start = time.perf_counter()
        kernel = compute(x)
        times.append(time.perf_counter() - start)
    warm = times[1:] if side == "peer" and len(times) > 1 else times
    np.save(result, np.asarray(kernel))
    return {"seconds": min(warm), "compile": times[0] - min(warm),
            "megabytes": peak_megabytes(),
            "sampled": side == "ours" and bool(getattr(kernel, "standard_error", np.ones(1)).max() > 0)}


def peak_megabytes():
    """Of this process since it began; getrusage has what its parent took, too."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


def in_process(row, side, options, result):
    command = [sys.executable, __file__, f"--repeat={options.repeat}", f"--limit={options.limit}",
               f"--threads={options.threads}", f"--measure={side}", f"--result={result}", row.name]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=options.limit, text=True)
    except subprocess.TimeoutExpired:
        return {"failed": f"> {options.limit:g} s"}
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        print(f"{row.name}, {side}: {lines[-1] if lines else done.returncode}", file=sys.stderr)
        return {"failed": "refused"}
    return json.loads(done.stdout.splitlines()[-1])


def peaks(threads):
    """Multiply-adds and bytes a second, of a matrix product and of a copy on these processors."""
    a = np.random.default_rng(0).normal(size=(2000, 2000))
    b = np.ones(30_000_000 // threads * threads)
    c = np.empty_like(b)
    product = min(timed(lambda: a @ a) for _ in range(5))
    with ThreadPoolExecutor(threads) as pool:
        copy = min(timed(lambda: list(pool.map(np.copyto, np.split(c, threads), np.split(b, threads)))) for _ in range(5))
    return 2000**3 / product, 2 * b.nbytes / copy


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()


def number(value, key):
    if value is None:
        return "–"
    if "failed" in value:
        return value["failed"] if key == "seconds" else "–"
    return f"{value[key]:.0f}" if key == "megabytes" else f"{value[key]:.3g}"


def difference(ours, peer, folder):
    if peer is None or "failed" in ours or "failed" in peer or ours["sampled"]:
        return "–"
    a, b = np.load(folder / "ours.npy"), np.load(folder / "peer.npy").reshape(np.load(folder / "ours.npy").shape)
    scale = np.sqrt(np.outer(a.diagonal(), a.diagonal()))
    return f"{(np.abs(a - b) / scale).max():.0e}"


def line(row, options, peak):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        ours = in_process(row, "ours", options, folder / "ours.npy")
        peer = in_process(row, "peer", options, folder / "peer.npy") if row.peer and options.has_peer else None
        off = difference(ours, peer, folder)
    least = None if row.flops is None else max(row.flops / peak[0], row.bytes / peak[1])
    done = "failed" not in ours
    ratio = f"{ours['seconds'] / peer['seconds']:.2g}" if done and peer and "failed" not in peer else "–"
    multiple = f"{ours['seconds'] / least:.2g}" if done and least else "–"
    cells = [row.name, number(ours, "seconds"), number(peer, "seconds"), number(peer, "compile"), ratio,
             f"{least:.2g}" if least else "–", multiple, number(ours, "megabytes"), number(peer, "megabytes"), off]
    print("| " + " | ".join(cells) + " |", flush=True)


def growth():
    """The exponent of ours in each quantity, fitted to the tasks that take more than a millisecond."""
    tasks = {
        "inputs of an MLP, relu": ("N²", lambda k: (mlp(RELU, k, 3), k**2), (250, 500, 1000, 2000, 4000)),
        "positions of a CNN, flatten": ("P", lambda k: (cnn(4, "flatten", size=k), k**2), (8, 12, 16, 24, 32)),
        "positions of a CNN, average": ("P²", lambda k: (cnn(2, "global_avg_pool", size=k), k**4), (4, 6, 8, 12, 16, 24)),
        "time of an RNN, erf": ("T²", lambda k: (recurrent("simple_rnn", k, ERF), k**2), (30, 60, 120, 240)),
    }
    print("| grows with | should be proportional to | exponent of that | smallest, s | largest, s |\n|---|---|---|---|---|")
    for name, (law, task, sizes) in tasks.items():
        seconds = []
        for size in sizes:
            row, amount = task(size)
            compute, x = ours_once(row, 1), data(row)
            seconds.append((amount, min(cpu_seconds(lambda: compute(x)) for _ in range(3))))
        amounts, times = np.log(np.array([one for one in seconds if one[1] > 1e-3] or seconds)).T
        exponent = f"{np.polyfit(amounts, times, 1)[0]:.2f}" if len(times) > 1 else "–"
        print(f"| {name} | {law} | {exponent} | {seconds[0][1]:.2g} | {seconds[-1][1]:.2g} |", flush=True)


def cpu_seconds(work):
    start = time.process_time()
    work()
    return time.process_time() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--limit", type=float, default=120, help="seconds of one side of a row")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--growth", action="store_true", help="fit how costs grow")
    parser.add_argument("--measure", choices=("ours", "peer"), help=argparse.SUPPRESS)
    parser.add_argument("--result", help=argparse.SUPPRESS)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="parts of names; default: all")
    options = parser.parse_args()
    chosen = [row for row in rows() if not options.rows or any(part in row.name for part in options.rows)]
    if options.measure:
        print(json.dumps(measure(chosen[0], options.measure, options, options.result)))
        return
    if options.growth:
        growth()
        return
    options.has_peer = importlib.util.find_spec("neural_tangents") is not None
    if not options.has_peer:
        print("neural-tangents is not installed: its columns are left out\n")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:options.threads])
    peak = peaks(options.threads)
    print(f"{processor()}, {options.threads} threads; {peak[0] / 1e9:.3g} G multiply-adds/s, {peak[1] / 1e9:.3g} GB/s; "
          f"load {os.getloadavg()[0]:.1f}\n")
    print("| task | ours, s | peer, s | compile, s | ours/peer | least, s | ours/least | ours, MB | peer, MB | off |")
    print("|---|" + "---|" * 9)
    for row in chosen:
        line(row, options, peak)


if __name__ == "__main__":
    main()
