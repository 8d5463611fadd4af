"""Regression with a network's kernel: K(test, train) is a block."""

import numpy as np

import nngpcheck


def main():
    train = np.linspace(-2, 2, 9)[:, None]
    test = np.linspace(-2, 2, 5)[:, None]
    arch = {"layers": [nngpcheck.layers.dense(weight_variance=4, bias_variance=1), nngpcheck.layers.activation("erf")]}
    k = nngpcheck.kernel(arch, train)
    block = nngpcheck.kernel(arch, test, train)
    mean = block @ np.linalg.solve(k.value + 1e-6 * np.eye(9), np.sin(train))
    return np.abs(mean - np.sin(test)).max()


if __name__ == "__main__":
    print(f"off by at most {main():.2g}")
