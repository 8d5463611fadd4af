#!/usr/bin/env python3
"""Writes finite_width.json: the finite-width law of six networks, by finite differences along frozen paths.

Independent of the library, which takes derivatives of expectations by formula, by series and by tangents: here a network
is a Python function of N coordinates of it and of the averages over them, and every derivative is a difference of two
calls of that function, with the same normals. Of each seed: K, C/|K|^2 and B/|K|, entries (a, b) with a >= b column by
column. The perceptrons' inputs are in the file, those of the others are data/sentences.csv.
Needs NumPy and SciPy; takes an hour or so. With names of networks, prints them instead.
"""
import json
import os
import sys

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from scipy.special import erf, ndtri
from scipy.stats import qmc

HERE = os.path.dirname(os.path.abspath(__file__))
SEEDS = 16
FIRST_STEP = 1e-4  # of first differences, in standard deviations of the noise
SECOND_STEP = 0.04  # of second ones: wide enough that kinks are seen by many paths
NOISE_LEFT_OUT, INFLUENCE_LEFT_OUT = 1e-6, 1e-5  # eigenvalues over the largest
PIVOT = 1e-8  # of a variance: below, a column is a combination of earlier ones

START, LENGTH = [0, 7], [7, 9]  # the two sentences
STEPS = [[s for s in range(2) if t < LENGTH[s]] for t in range(max(LENGTH))]  # who is still there


def sentences():
    rows = np.genfromtxt(os.path.join(HERE, "../../data/sentences.csv"), delimiter=",", skip_header=1)[:, 3:]
    return rows @ rows.T / rows.shape[1]


INPUTS = {"mlp": np.random.default_rng(7).standard_normal((6, 20)),
          "batchnorm_mlp": np.random.default_rng(3).standard_normal((8, 30))}


def relu(x):
    return np.maximum(x, 0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Coordinates:
    """N coordinates of a network, rows; what a network's function asks for. Averages are means over the coordinates,
    plus `shifts`, or `given`; `averages` and `terms` (what they are means of) are those of the last run."""

    def __init__(self, log2_count, dimension, seed):
        points = qmc.Sobol(dimension, bits=40, seed=seed).random_base2(log2_count)
        self._normals = ndtri(np.clip(points, 1e-14, 1 - 1e-14))
        self._dependent = {}  # columns of each weight's arguments; decided by the first run

    def run(self, network, shifts=None, given=None):
        self._shifts, self._given = shifts or {}, given
        self._used, self._weights = 0, {}
        self.averages, self.terms = [], []
        network(self)
        return self.averages

    def normals(self, count):
        self._used += count
        return self._normals[:, self._used - count : self._used]

    def input(self, gram):
        values, vectors = np.linalg.eigh(gram)
        kept = values > 1e-12 * values[-1]
        factor = vectors[:, kept] * np.sqrt(values[kept])
        return self.normals(factor.shape[1]) @ factor.T

    def average(self, terms):
        t = len(self.averages)
        value = self._given[t] if self._given else terms.mean(0) + self._shifts.get(t, 0)
        self.averages.append(value)
        self.terms.append(terms)
        return value

    def gram(self, x):
        m = x.shape[1]
        b, a = np.triu_indices(m)
        result = np.zeros((m, m))
        result[a, b] = result[b, a] = self.average(x[:, a] * x[:, b])
        return result

    def matmul(self, name, x, variance=1.0):
        """W x: normals times a factor of the Gram of all that W was applied to so far."""
        arguments, normals, factor = self._weights.get(name, (np.zeros((len(x), 0)), np.zeros((len(x), 0)), np.zeros((0, 0))))
        before, m = arguments.shape[1], x.shape[1]
        arguments = np.hstack([arguments, x])
        normals = np.hstack([normals, self.normals(m)])
        pairs = np.array([(a, b) for a in range(before, before + m) for b in range(a + 1)])
        gram = np.zeros((before + m, before + m))
        gram[pairs[:, 0], pairs[:, 1]] = self.average(arguments[:, pairs[:, 0]] * arguments[:, pairs[:, 1]])
        extended = np.zeros_like(gram)
        extended[:before, :before] = factor
        for a in range(before, before + m):
            for b in range(a):
                if not self._dependent[name, b]:
                    extended[a, b] = (gram[a, b] - extended[a, :b] @ extended[b, :b]) / extended[b, b]
            pivot = gram[a, a] - extended[a, :a] @ extended[a, :a]
            if not self._dependent.setdefault((name, a), pivot <= PIVOT * max(gram[a, a], 1e-300)):
                extended[a, a] = np.sqrt(pivot)
        self._weights[name] = (arguments, normals, extended)
        return np.sqrt(variance) * normals @ extended[before:].T

    def bias(self, variance=1.0):
        return np.sqrt(variance) * self.normals(1)

    def layer_norm(self, x):
        x = x - self.average(x)
        return x / np.sqrt(self.average(x * x))


def principal(rows, left_out):
    values, vectors = np.linalg.eigh(rows.T @ rows / len(rows))
    kept = values > left_out * max(values[-1], 1e-30)
    return vectors[:, kept], np.sqrt(values[kept])


def law(network, log2_count, dimension, seed):
    """K, C/|K|^2, B/|K|. With T_t the derivative of all averages in one of them, the influence function of a coordinate
    is sum_t T_t (psi_t - theta_t), C its variance, and B = T (E[d psi IF] + d^2 psi Cov(IF)/2)."""
    at = Coordinates(log2_count, dimension, seed)
    theta, psi = list(at.run(network)), list(at.terms)
    first = np.cumsum([0] + [len(t) for t in theta])
    slices = [slice(a, b) for a, b in zip(first, first[1:])]

    def difference(shifts):
        opposite = {t: -shift for t, shift in shifts.items()}
        return (np.concatenate(at.run(network, shifts)) - np.concatenate(at.run(network, opposite))) / 2

    influence = np.zeros((len(psi[0]), first[-1]))
    for t, terms in enumerate(psi):
        noise = terms - terms.mean(0)
        directions, sizes = principal(noise, NOISE_LEFT_OUT)
        steps = FIRST_STEP * sizes
        response = np.array([difference({t: h * v}) / h for h, v in zip(steps, directions.T)])
        influence += noise @ directions @ response
    k, (b, a) = theta[-1], np.triu_indices(output_count(theta[-1]))
    weights = np.where(a == b, 1, 2)
    norm = np.sqrt(weights @ k**2)
    c = weights @ (influence[:, slices[-1]] ** 2).mean(0) / norm**2

    vectors, sizes = principal(influence, INFLUENCE_LEFT_OUT)
    own = [np.zeros(len(t)) for t in theta]
    for v, size in zip(vectors.T, sizes):
        score = influence @ v / size
        shift = SECOND_STEP * size * v
        at.run(network, given=[t + shift[s] for t, s in zip(theta, slices)])
        above = at.terms
        at.run(network, given=[t - shift[s] for t, s in zip(theta, slices)])
        for t, (plus, minus) in enumerate(zip(above, at.terms)):
            own[t] += score @ (plus - minus) / len(score) / (2 * SECOND_STEP)
            own[t] += (plus.mean(0) + minus.mean(0) - 2 * theta[t]) / (2 * SECOND_STEP**2)
    h = FIRST_STEP * np.linalg.norm(np.concatenate(theta)) / max(np.linalg.norm(np.concatenate(own)), 1e-12)
    bias = difference({t: h * term for t, term in enumerate(own)})[slices[-1]] / h
    return k, c, bias / norm


def output_count(entries):
    return int(np.sqrt(2 * len(entries)))


def mlp(at):
    data = INPUTS["mlp"]
    x = relu(at.input(2 * data @ data.T / 20))
    for layer in range(2):
        x = relu(at.matmul(layer, x, 2))
    at.gram(x)


def batchnorm_mlp(at):
    data = INPUTS["batchnorm_mlp"]

    def layer(h):
        h = h - h.mean(1, keepdims=True)
        return relu(h / np.sqrt((h * h).mean(1, keepdims=True)))

    at.gram(layer(at.matmul("W", layer(at.input(data @ data.T / 30)))))


def recurrent(at, cell):
    """h_t = cell(h_{t-1}, columns of the data), h_0 = None; reads all states."""
    states, order = [], []
    for t, present in enumerate(STEPS):
        columns = [START[s] + t for s in present]
        before = states[-1][:, [STEPS[t - 1].index(s) for s in present]] if t else None
        states.append(cell(before, columns))
        order += columns
    at.gram(np.hstack(states)[:, np.argsort(order)])


def simple_rnn(at):
    u = at.input(sentences())
    recurrent(at, lambda h, c: erf(u[:, c] + (0 if h is None else at.matmul("W", h))))


def gru(at):
    gram = sentences()
    u = {gate: at.input(gram) + at.bias() for gate in "zrh"}

    def gate(x):
        return (1 + erf(x)) / 2

    def cell(h, c):
        if h is None:
            return gate(u["z"][:, c]) * erf(u["h"][:, c])
        z = gate(u["z"][:, c] + at.matmul("z", h))
        r = gate(u["r"][:, c] + at.matmul("r", h))
        return (1 - z) * h + z * erf(u["h"][:, c] + at.matmul("h", h * r))

    recurrent(at, cell)


def lstm(at):
    """Of the first sentence."""
    gram = sentences()[: LENGTH[0], : LENGTH[0]]
    u = {gate: at.input(gram) + at.bias() for gate in "ifgo"}
    states, memory = [], 0
    for t in range(LENGTH[0]):
        i, f, g, o = (u[gate][:, [t]] + (at.matmul(gate, states[-1]) if t else 0) for gate in "ifgo")
        memory = sigmoid(i) * np.tanh(g) + sigmoid(f) * memory
        states.append(sigmoid(o) * np.tanh(memory))
    at.gram(np.hstack(states))


def transformer(at):
    gram = sentences()
    y = at.input(2 * gram)
    for layer in range(2):
        scores = at.gram(y)
        mix = np.zeros_like(scores)
        for start, length in zip(START, LENGTH):
            for a in range(start, start + length):
                weights = np.exp(scores[a, start : a + 1] - scores[a, start : a + 1].max())
                mix[a, start : a + 1] = weights / weights.sum()
        h = at.layer_norm(y + y @ mix.T)
        hidden = relu(at.matmul(("W1", layer), h, 3) + at.bias(0.1))
        x = at.layer_norm(at.matmul(("W2", layer), hidden, 3) + at.bias(0.1) + h)
        if layer == 0:
            y = at.matmul("U", x, 2)
    at.gram(x)


NETWORKS = {  # log2 of the coordinates, and a number of normals that suffices
    "mlp": (mlp, 15, 32), "batchnorm_mlp": (batchnorm_mlp, 15, 32), "simple_rnn": (simple_rnn, 12, 64),
    "gru": (gru, 11, 128), "lstm": (lstm, 12, 128), "transformer": (transformer, 11, 128),
}


def rows(name):
    function, log2_count, dimension = NETWORKS[name]
    for seed in range(SEEDS):
        k, c, bias = law(function, log2_count, dimension, seed)
        yield {"kernel": k.tolist(), "relative_c": c, "relative_bias": bias.tolist()}


def rounded(number):
    return [rounded(n) for n in number] if isinstance(number, list) else float("%.7g" % number)


if __name__ == "__main__":
    if sys.argv[1:]:
        for name in sys.argv[1:]:
            for row in rows(name):
                print(name, row["relative_c"], np.linalg.norm(row["relative_bias"]), flush=True)
        sys.exit()
    result = {}
    for name in NETWORKS:
        every = list(rows(name))
        result[name] = {key: rounded([row[key] for row in every]) for key in every[0]}
        if name in INPUTS:
            result[name]["inputs"] = INPUTS[name].tolist()
        print(name, np.mean(result[name]["relative_c"]), file=sys.stderr)
    with open(os.path.join(HERE, "finite_width.json"), "w") as out:
        json.dump(result, out, separators=(",", ":"))
        out.write("\n")
