"""A kernel of GPyTorch, checked against modules of PyTorch in three lines."""

import math

import gpytorch
import torch

import nngpcheck

x = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))


class Cosines(torch.nn.Module):
    def __init__(self, n):
        super().__init__()
        self.weights, self.phases = torch.randn(3, n), 2 * math.pi * torch.rand(n)

    def forward(self, x):
        return math.sqrt(2) * torch.cos(x @ self.weights / 2 + self.phases)


def main():
    kernel = gpytorch.kernels.RBFKernel()
    kernel.lengthscale = 2.0
    right = nngpcheck.check(kernel(x), Cosines, x, resolution=0.03)
    kernel.lengthscale = 1.8
    wrong = nngpcheck.check(kernel(x), Cosines, x, resolution=0.03)
    return right, wrong


if __name__ == "__main__":
    print(*main(), sep="\n")
