#!/usr/bin/env python3
"""Writes batch_norm.json: E[phi(y_i) psi(z_j)] for standardized groups of two or three Gaussian columns.

Independent of the Laplace integrals that the library uses: the expectation itself is integrated, in polar coordinates
for three columns (two degrees of freedom), in Cartesian ones for two (one degree of freedom each), at 18 digits and
split at the kinks. Needs mpmath.
"""
import json
import os

from mpmath import atan2, cholesky, cos, exp, matrix, mp, mpf, ncdf, pi, quad, sin, sqrt

mp.dps = 18

FORMS = {  # (positive, negative, power)
    "identity": (1, -1, 1), "relu": (1, 0, 1), "leaky_relu_0.1": (1, mpf(-1) / 10, 1), "abs": (1, 1, 1),
    "step": (1, 0, 0), "sign": (1, -1, 0), "relu_squared": (1, 0, 2), "power_3": (1, -1, 3),
}
PAIRS = [("relu", "relu"), ("identity", "identity"), ("leaky_relu_0.1", "leaky_relu_0.1"), ("abs", "relu"),
         ("relu_squared", "step"), ("power_3", "sign")]


def phi(form, x):
    positive, negative, power = form
    return (positive if x > 0 else negative) * abs(x) ** power


def centred(covariance, first, second):
    """HMH' of the block of these rows and columns, exactly."""
    block = [[mpf(covariance[i][j]) for j in second] for i in first]
    rows = [sum(r) / len(second) for r in block]
    columns = [sum(block[i][j] for i in range(len(first))) / len(first) for j in range(len(second))]
    mean = sum(rows) / len(first)
    return matrix([[block[i][j] - rows[i] - columns[j] + mean for j in range(len(second))] for i in range(len(first))])


def loadings(covariance):
    """L, 3x2, with y = Lz, z ~ N(0, I), for a centred 3x3 covariance: y_3 = -(y_1 + y_2)."""
    root = cholesky(covariance[:2, :2])
    return [[root[0, 0], root[0, 1]], [root[1, 0], root[1, 1]],
            [-root[0, 0] - root[1, 0], -root[0, 1] - root[1, 1]]]


def directions(rows):
    """The angles at which some y_i changes its sign, and the ends."""
    kinks = set()
    for a, b in rows:
        angle = atan2(-a, b) % pi
        kinks |= {angle, angle + pi}
    return [mpf(0)] + sorted(kinks) + [2 * pi]


def same_group(f, g, covariance, epsilon):
    rows = loadings(centred(covariance, range(3), range(3)))
    half = mpf(f[2] + g[2]) / 2

    def entry(i, j):
        def at(angle):
            y = [a * cos(angle) + b * sin(angle) for a, b in rows]
            mean_square = sum(v * v for v in y) / 3
            if epsilon == 0:
                radial = mean_square ** -half
            else:  # w = radius^2 / 2
                radial = quad(lambda w: exp(-w) * (2 * w / (2 * w * mean_square + epsilon)) ** half, [0, 1, 8, 50])
            return phi(f, y[i]) * phi(g, y[j]) * radial
        return quad(at, directions([rows[i], rows[j]])) / (2 * pi)
    return [[entry(i, j) for j in range(3)] for i in range(3)]


def two_by_two(f, g, covariance, epsilons):
    """Both groups have two columns, y = (a, -a) and z = (b, -b)."""
    a = centred(covariance, (0, 1), (0, 1))[0, 0]
    b = centred(covariance, (2, 3), (2, 3))[0, 0]
    c = centred(covariance, (0, 1), (2, 3))[0, 0]
    determinant = a * b - c * c

    def quadrant(s, t):
        def at(x, y):
            density = exp(-(b * x * x - 2 * c * s * t * x * y + a * y * y) / (2 * determinant))
            return (density * x ** f[2] * y ** g[2] / (x * x + epsilons[0]) ** (mpf(f[2]) / 2)
                    / (y * y + epsilons[1]) ** (mpf(g[2]) / 2))
        ends = [[0, sqrt(v), 4 * sqrt(v), 11 * sqrt(v)] for v in (a, b)]
        return quad(at, *ends) / (2 * pi * sqrt(determinant))
    equal, opposite = quadrant(1, 1), quadrant(1, -1)
    weights = {(1, 1): equal, (-1, -1): equal, (1, -1): opposite, (-1, 1): opposite}
    side = {1: 0, -1: 1}
    return [[sum(f[side[s * u]] * g[side[t * v]] * w for (s, t), w in weights.items()) for v in (1, -1)]
            for u in (1, -1)]


def three_by_two(f, g, covariance, epsilon):
    """Three columns with epsilon, and two without: their standardized values are the signs of (b, -b)."""
    rows = loadings(centred(covariance, range(3), range(3)))
    cross = centred(covariance, range(3), (3, 4))
    variance = centred(covariance, (3, 4), (3, 4))[0, 0]
    # b = slope . z + noise, from cov(y, b) = L slope
    (p, q), (r, s) = rows[0], rows[1]
    slope = [(s * cross[0, 0] - q * cross[1, 0]) / (p * s - q * r), (p * cross[1, 0] - r * cross[0, 0]) / (p * s - q * r)]
    noise = sqrt(variance - slope[0] ** 2 - slope[1] ** 2)
    half = mpf(f[2]) / 2

    def entry(i, u):
        def at(angle):
            y = [a * cos(angle) + b * sin(angle) for a, b in rows]
            mean_square = sum(v * v for v in y) / 3
            tilt = (slope[0] * cos(angle) + slope[1] * sin(angle)) / noise

            def radial(radius):
                positive = ncdf(u * radius * tilt)
                psi = g[0] * positive + g[1] * (1 - positive)
                return psi * radius * exp(-radius ** 2 / 2) * (radius ** 2 / (radius ** 2 * mean_square + epsilon)) ** half
            return phi(f, y[i]) * quad(radial, [0, 2, 10])
        return quad(at, directions([rows[i], slope])) / (2 * pi)
    return [[entry(i, u) for u in (1, -1)] for i in range(3)]


def covariance(size, seed):
    """A fixed positive definite matrix with entries of two decimals."""
    points = [[(seed * (7 * i + 3 * k + 1) ** 2 % 19 - 9) / mpf(5) for k in range(size)] for i in range(size)]
    gram = [[sum(a * b for a, b in zip(x, y)) / size + (mpf(1) / 4 if x is y else 0) for y in points] for x in points]
    return [[float(mp.nstr(v, 6)) for v in row] for row in gram]


def numbers(rows):
    return [[float(v) for v in row] for row in rows]


def main():
    result = {"same_group": [], "two_groups": []}
    for first, second in PAIRS:
        f, g = FORMS[first], FORMS[second]
        names = {"phi": first, "psi": second}
        for epsilon in (0, 0.3, 1e-5):
            law = covariance(3, 2)
            result["same_group"].append({**names, "epsilon": epsilon, "covariance": law,
                                         "moment": numbers(same_group(f, g, law, mpf(epsilon)))})
        law = covariance(4, 3)
        result["two_groups"].append({**names, "sizes": [2, 2], "epsilons": [0.2, 0.5], "covariance": law,
                                     "moment": numbers(two_by_two(f, g, law, (mpf(0.2), mpf(0.5))))})
        law = covariance(5, 5)
        result["two_groups"].append({**names, "sizes": [3, 2], "epsilons": [0.1, 0], "covariance": law,
                                     "moment": numbers(three_by_two(f, g, law, mpf(0.1)))})
        print(first, second, flush=True)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "batch_norm.json")
    with open(path, "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
