#!/usr/bin/env python3
"""Runs the demo's sweep by nngpcheck's dense sampler and by NumPy, width by width, and prints the ratio.

usage: compare_numpy.py BUILD_DIRECTORY    (of the preset "bench"; needs NumPy)
"""

import json
import pathlib
import subprocess
import sys

import numpy_rnn

NETWORKS = 100
WIDTHS = [32, 64, 128, 256, 512, 1024, 2048, 4096]


def nngpcheck_seconds(build, width):
    """Of one iteration of sampler_bench, which is NETWORKS networks."""
    command = [build / "bench" / "sampler_bench", f"--benchmark_filter=simple_rnn/float64/{width}/",
               "--benchmark_format=json"]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    (result,) = json.loads(output)["benchmarks"]
    assert result["time_unit"] == "ms"
    return result["real_time"] / 1000


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    build = pathlib.Path(sys.argv[1])
    data = pathlib.Path(__file__).resolve().parent.parent / "data" / "sentences.csv"
    sequences = numpy_rnn.read_sequences(data)
    total = {"nngpcheck": 0.0, "numpy": 0.0}
    print("networks per second, simple RNN with erf, float64")
    print(f"{'width':>6} {'nngpcheck':>12} {'NumPy':>12} {'ratio':>7}")
    for width in WIDTHS:
        ours = nngpcheck_seconds(build, width)
        theirs, _ = numpy_rnn.seconds(width, NETWORKS, sequences)
        total["nngpcheck"] += ours
        total["numpy"] += theirs
        print(f"{width:>6} {NETWORKS / ours:>12.1f} {NETWORKS / theirs:>12.1f} {theirs / ours:>7.2f}", flush=True)
    print(f"whole sweep: nngpcheck {total['nngpcheck']:.2f} s, NumPy {total['numpy']:.2f} s, "
          f"ratio {total['numpy'] / total['nngpcheck']:.2f}")


if __name__ == "__main__":
    main()
