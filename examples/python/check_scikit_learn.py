"""A kernel of scikit-learn, checked in three lines: RBF is the limit of a layer of cosines with random phases."""

import math

import numpy as np
from sklearn.gaussian_process.kernels import RBF

import nngpcheck

x = np.random.default_rng(0).normal(size=(6, 3))


def make(n):
    weights, phases = np.random.normal(size=(3, n)), np.random.uniform(0, 2 * math.pi, n)
    return lambda x: math.sqrt(2) * np.cos(x @ weights / 2 + phases)


def main():
    right = nngpcheck.check(RBF(length_scale=2)(x), make, x, resolution=0.03)
    wrong = nngpcheck.check(RBF(length_scale=1.8)(x), make, x, resolution=0.03)
    return right, wrong


if __name__ == "__main__":
    print(*main(), sep="\n")
