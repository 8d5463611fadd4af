"""Kernels of neural-tangents, checked against its own networks in three lines each. Of x + x it makes 2 K instead of 4 K,
because it takes the branches of a sum as independent."""

import jax
import numpy as np
from neural_tangents import stax

import nngpcheck

x = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def perceptron(n):
    return stax.serial(stax.Dense(n, W_std=1.5), stax.Relu(), stax.Dense(n, W_std=1.5), stax.Relu())


def doubled(n):
    return stax.serial(stax.Dense(n), stax.FanOut(2), stax.FanInSum(), stax.Relu())


def networks_of(architecture):
    def make(n, seed):
        init, apply, _ = architecture(n)
        _, parameters = init(jax.random.PRNGKey(seed), x.shape)
        return lambda x: apply(parameters, x)

    return make


def main():
    right = nngpcheck.check(perceptron(1)[2](x).nngp, networks_of(perceptron), x, tolerance=0.2, name="perceptron")
    wrong = nngpcheck.check(doubled(1)[2](x).nngp, networks_of(doubled), x, tolerance=0.2, name="x + x")
    return right, wrong


if __name__ == "__main__":
    print(*main(), sep="\n")
