"""Prints the polynomials of simd_loops.hpp and simd_erf.hpp: near-minimax fits at Chebyshev points, leading coefficient first."""

from mpmath import chebyfit, cos, erf, erfc, exp, log, mp, mpf, pi, sin, sqrt

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


def erf_quotient(z):
    x = sqrt(max(z, TINY))
    return erf(x) / x


def scaled_erfc(t):
    a = 3 * (1 + t) / (1 - t)
    return erfc(a) * exp(a * a)


for function, begin, end, terms in (
    (sine, 0, mpf(1) / 64, 7),
    (cosine, 0, mpf(1) / 64, 7),
    (logarithm, 0, (sqrt(mpf(2)) - 1) ** 4, 7),
    (erf_quotient, 0, 1, 12),
    (scaled_erfc, mpf(-1) / 2, mpf(1) / 3, 16),
    (exp, -log(mpf(2)) / 2, log(mpf(2)) / 2, 11),
):
    coefficients, error = chebyfit(function, [begin, end], terms, error=True)
    print(function.__name__, [float(c) for c in coefficients], "error", mp.nstr(error, 2))
