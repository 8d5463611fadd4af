"""Prints the polynomials of simd_loops.hpp: near-minimax fits at Chebyshev points, leading coefficient first."""

from mpmath import chebyfit, cos, log, mp, mpf, pi, sin, sqrt

mp.dps = 40
TINY = mpf("1e-18")  # stands for 0, where the quotients are undefined


def sine(z):
    v = sqrt(max(z, TINY))
    return sin(2 * pi * v) / v


def cosine(z):
    z = max(z, TINY)
    return (cos(2 * pi * sqrt(z)) - 1) / z


def logarithm(z):
    s = sqrt(max(z, TINY))
    return (log((1 + s) / (1 - s)) - 2 * s) / s**3


for function, end in ((sine, mpf(1) / 64), (cosine, mpf(1) / 64), (logarithm, (sqrt(mpf(2)) - 1) ** 4)):
    coefficients, error = chebyfit(function, [0, end], 7, error=True)
    print(function.__name__, [float(c) for c in coefficients], "error", mp.nstr(error, 2))
