"""A straightforward NumPy simulation of the demo's networks: the simple RNN with erf, all variances 1.

Per network one n×n matrix of float64 normals and one matrix-vector product per token after a sentence's first.
"""

import csv
import math
import time

import numpy as np

try:
    from scipy.special import erf
except ImportError:
    erf = np.vectorize(math.erf)


def read_sequences(path):
    sequences = {}
    with open(path, newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for sequence, _position, _token, *numbers in rows:
            sequences.setdefault(sequence, []).append([float(x) for x in numbers])
    return [np.array(tokens) for tokens in sequences.values()]


def network_kernel(generator, width, sequences):
    """The empirical kernel of one random network: tokens of all sequences, in order."""
    dimension = sequences[0].shape[1]
    recurrent = generator.standard_normal((width, width))
    recurrent_scale = 1 / math.sqrt(width)  # applied to the vectors, which is cheaper than to the matrix
    inputs = generator.standard_normal((width, dimension)) / math.sqrt(dimension)
    states = []
    for tokens in sequences:
        drives = tokens @ inputs.T
        state = erf(drives[0])
        states.append(state)
        for drive in drives[1:]:
            state = erf(recurrent @ (recurrent_scale * state) + drive)
            states.append(state)
    states = np.array(states)
    return states @ states.T / width


def seconds(width, networks, sequences):
    """Wall-clock seconds for that many networks, and their mean kernel."""
    generator = np.random.default_rng(1)
    begin = time.perf_counter()
    mean = sum(network_kernel(generator, width, sequences) for _ in range(networks)) / networks
    return time.perf_counter() - begin, mean
