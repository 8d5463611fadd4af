"""The published kernel of GP4A's simple RNN is not the limit of its networks: on two sentences of 7 and 9 tokens it stops
after 7 steps, since it looks for the longest sentence among all but the last. With these variances, that makes 8 % in the
worst entry:

    s_t = erf(W s_{t−1} + U x_t),  W ~ N(0, 2/n),  U ~ N(0, 1/(4 d))
"""

import math
import pathlib

import numpy as np

import nngpcheck

RECURRENT, INPUT = 2, 0.25  # variances
SENTENCES = pathlib.Path(__file__).parents[2] / "data/sentences.csv"


def erf_kernel(k):
    """E erf(u)erf(v) for (u, v) ~ N(0, k), elementwise."""
    d = 1 + 2 * np.diagonal(k)
    return 2 / math.pi * np.arcsin(2 * k / np.sqrt(np.outer(d, d)))


def rnn_kernel(gram, starts, steps):
    """Of all tokens, after so many steps of E s_i s_j ← V(2 E s_{i−1} s_{j−1} + x_i·x_j/(4 d)), with s = 0 before a start."""
    k = np.zeros_like(gram)
    for _ in range(steps):
        before = np.zeros_like(gram)
        before[1:, 1:] = k[:-1, :-1]
        before[starts, :] = before[:, starts] = 0
        k = erf_kernel(RECURRENT * before + INPUT * gram)
    return k


def sentences():
    """The token vectors [tokens, d] of all sentences one after the other, and where each begins."""
    rows = [line.split(",") for line in SENTENCES.read_text().splitlines()[1:]]
    starts = [k for k, row in enumerate(rows) if row[1] == "0"]
    return np.array([row[3:] for row in rows], dtype=float), starts


def make(n):
    """A network of width n: the states at all tokens [tokens, n]."""
    x, starts = sentences()
    recurrent = np.random.normal(size=(n, n)) * math.sqrt(RECURRENT / n)
    inputs = x @ np.random.normal(size=(x.shape[1], n)) * math.sqrt(INPUT / x.shape[1])
    erf = np.vectorize(math.erf, otypes=[float])

    def states(_):
        # All sentences at once, a row each; the shorter ones run on into tokens that are not read.
        ends = starts[1:] + [len(x)]
        state = np.zeros((len(starts), n))
        result = np.zeros((len(x), n))
        for t in range(max(np.subtract(ends, starts))):
            rows = [k for k, (start, end) in enumerate(zip(starts, ends)) if start + t < end]
            tokens = [starts[k] + t for k in rows]
            state[rows] = erf(state[rows] @ recurrent + inputs[tokens])
            result[tokens] = state[rows]
        return result

    return states


def main():
    x, starts = sentences()
    gram = x @ x.T / x.shape[1]
    lengths = np.diff(starts + [len(x)])
    published = rnn_kernel(gram, starts, steps=max(lengths[:-1]))
    repaired = rnn_kernel(gram, starts, steps=max(lengths))
    exact = nngpcheck.kernel({"name": "simple_rnn", "activation": "erf", "weight_variance": RECURRENT,
                              "input_variance": INPUT},
                             [x[start:start + length] for start, length in zip(starts, lengths)])
    for name, k in (("published", published), ("repaired", repaired)):
        off = np.linalg.norm(k - exact.value) / np.linalg.norm(exact.value)
        print(f"{name}: {100 * off:.2g} % off the kernel of nngpcheck")
    return {name: nngpcheck.check(k, make, x, resolution=0.06, widths=[32, 64, 128, 256, 512], name=name)
            for name, k in (("published", published), ("repaired", repaired))}


if __name__ == "__main__":
    for verdict in main().values():
        print(verdict)
