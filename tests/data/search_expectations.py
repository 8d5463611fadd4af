#!/usr/bin/env python3
"""Writes random Gaussian expectations with rigorous values, for bench/expectations and tests/analytic.

    python3 search_expectations.py COUNT SEED > expectations.json

E[phi(u)], E[phi(u)^2] and E[phi(u) psi(v)] at random activations, means, variances and correlations. Values are
integrals of ball arithmetic (Arb, through python-flint), good to 18 digits or better: split at kinks and
jumps; of a pair, the inner expectation is a formula, or, where both functions are logistic, both levels are sums of
the trapezoidal rule, which converges exponentially. 10,000 points take some minutes.
"""
import json
import math
import random
import sys

from flint import acb, arb, ctx

ctx.prec = 128
REL = arb(2) ** -75
TINY = arb(2) ** -4000
SQRT2 = arb(2).sqrt()
SQRT2PI = (2 * arb.pi()).sqrt()


def density(z):
    return (-z * z / 2).exp() / SQRT2PI


def cdf(z):
    return (-z / SQRT2).erfc() / 2


def logistic(x):
    return 1 / (1 + (-x).exp())


def softplus(x, analytic):
    return (1 + x.exp()).log(analytic=analytic)


def constant(c):
    return lambda x, a: 0 * x + c


def power(p):
    return lambda x, a: x**p


def polynomial(*coefficients):
    def f(x, a):
        result = 0 * x
        for c in reversed(coefficients):
            result = result * x + c
        return result

    return f


ZERO = constant(0)
# name: (kinks, pieces between them)
FUNCTIONS = {
    "identity": ([], [power(1)]),
    "relu": ([0], [ZERO, power(1)]),
    "leaky_relu_0.1": ([0], [polynomial(0, arb(0.1)), power(1)]),
    "abs": ([0], [polynomial(0, -1), power(1)]),
    "step": ([0], [ZERO, constant(1)]),
    "sign": ([0], [constant(-1), constant(1)]),
    "square": ([], [power(2)]),
    "relu_squared": ([0], [ZERO, power(2)]),
    "power_3": ([], [power(3)]),
    "rectified_power_3": ([0], [ZERO, power(3)]),
    "hardtanh": ([-1, 1], [constant(-1), power(1), constant(1)]),
    "elu": ([0], [lambda x, a: x.exp() - 1, power(1)]),
    "erf": ([], [lambda x, a: x.erf()]),
    "erf_sigmoid": ([], [lambda x, a: (-x).erfc() / 2]),
    "gelu": ([], [lambda x, a: x * cdf(x)]),
    "sin": ([], [lambda x, a: x.sin()]),
    "cos": ([], [lambda x, a: x.cos()]),
    "exp": ([], [lambda x, a: x.exp()]),
    "gaussian": ([], [lambda x, a: (-x * x).exp()]),
    "sigmoid": ([], [lambda x, a: logistic(x)]),
    "tanh": ([], [lambda x, a: 2 * logistic(2 * x) - 1]),
    "silu": ([], [lambda x, a: x * logistic(x)]),
    "softplus": ([], [softplus]),
    "x*min(max(x+3,0),6)/6": ([-3, 3], [ZERO, polynomial(0, arb(0.5), arb(1) / 6), power(1)]),
    "min(max(x,0),6)": ([0, 6], [ZERO, power(1), constant(6)]),
    "abs(x) > 0.5 ? x : 0": ([-0.5, 0.5], [power(1), ZERO, power(1)]),
    "sin(30*x)": ([], [lambda x, a: (30 * x).sin()]),
    "cos(25*x)": ([], [lambda x, a: (25 * x).cos()]),
    "1/(1+1e4*(x-0.375)^2)": ([], [lambda x, a: 1 / (1 + 10000 * (x - arb(0.375)) ** 2)]),
}
LOGISTIC = {"sigmoid", "tanh", "silu", "softplus"}
OSCILLATING = {"sin", "cos", "sin(30*x)", "cos(25*x)"}
PEAKED = "1/(1+1e4*(x-0.375)^2)"


def integral(f, points):
    """of f over the line, split at the points"""
    total = acb(0)
    for left, right in zip(points, points[1:]):
        if left < right:
            total += acb.integral(f, acb(left), acb(right), rel_tol=REL, abs_tol=TINY, eval_limit=200000)
    return total.real


def piece(name, x):
    """the analytic function that phi is around x"""
    kinks, pieces = FUNCTIONS[name]
    return pieces[sum(1 for kink in kinks if x >= kink)]


def splits(kinks, reach, extra=()):
    inner = sorted({k for k in list(kinks) + list(extra) if -reach < k < reach})
    return [arb(-reach)] + [arb(k) for k in inner] + [arb(reach)]


def reach(deviation, far_points):
    """how far to integrate a standard normal: past what an exponential moves its mass by, and past the points where
    a function begins that is 0 before; beyond 40 a density is below every double"""
    return 15 + 2 * min(float(deviation), 30) + min(40, max((abs(float(z)) for z in far_points), default=0))


def single(name, mean, variance, exponent):
    """E[phi(u)^exponent]"""
    m, s = arb(mean), arb(variance).sqrt()
    kinks = [(arb(k) - m) / s for k in FUNCTIONS[name][0]]
    far = reach(s, kinks + [m / s])
    extra = [-m / s, (arb(0.375) - m) / s]
    if name == "softplus":  # its logarithm has cuts: help the bisection
        extra += [arb(k) / 2 for k in range(-40, 41)]
    points = [arb(-far)] + sorted((p for p in kinks + extra if -far < p < far), key=float) + [arb(far)]
    total = arb(0)
    for left, right in zip(points, points[1:]):
        phi = piece(name, float(m + s * (left + right) / 2))
        f = lambda z, a: phi(m + s * z, a) ** exponent * density(z)
        total += integral(f, [left, right])
    return total


def smoothing(name):
    """(m, s) -> E[phi(m + s z)], analytic in m"""

    def rectified(m, s, p):
        previous = cdf(m / s)
        moment = m * previous + s * density(m / s)
        for q in range(2, p + 1):
            previous, moment = moment, m * moment + (q - 1) * s * s * previous
        return moment if p else previous

    def monomial(m, s, p):
        previous, moment = 1 + 0 * m, m
        for q in range(2, p + 1):
            previous, moment = moment, m * moment + (q - 1) * s * s * previous
        return moment

    def trig(k, f):
        return lambda m, s: (-k * k * s * s / 2).exp() * f(k * m)

    table = {
        "identity": lambda m, s: m,
        "relu": lambda m, s: rectified(m, s, 1),
        "leaky_relu_0.1": lambda m, s: rectified(m, s, 1) - arb(0.1) * rectified(-m, s, 1),
        "abs": lambda m, s: rectified(m, s, 1) + rectified(-m, s, 1),
        "step": lambda m, s: cdf(m / s),
        "sign": lambda m, s: (m / s / SQRT2).erf(),
        "square": lambda m, s: monomial(m, s, 2),
        "relu_squared": lambda m, s: rectified(m, s, 2),
        "power_3": lambda m, s: monomial(m, s, 3),
        "rectified_power_3": lambda m, s: rectified(m, s, 3),
        "hardtanh": lambda m, s: rectified(m + 1, s, 1) - rectified(m - 1, s, 1) - 1,
        "elu": lambda m, s: rectified(m, s, 1) + (m + s * s / 2).exp() * cdf(-m / s - s) - cdf(-m / s),
        "erf": lambda m, s: (m / (1 + 2 * s * s).sqrt()).erf(),
        "erf_sigmoid": lambda m, s: (-m / (1 + 2 * s * s).sqrt()).erfc() / 2,
        "gelu": lambda m, s: m * cdf(m / (1 + s * s).sqrt()) + s * s / (1 + s * s).sqrt() * density(m / (1 + s * s).sqrt()),
        "sin": trig(1, lambda x: x.sin()),
        "cos": trig(1, lambda x: x.cos()),
        "sin(30*x)": trig(30, lambda x: x.sin()),
        "cos(25*x)": trig(25, lambda x: x.cos()),
        "exp": lambda m, s: (m + s * s / 2).exp(),
        "gaussian": lambda m, s: (-m * m / (1 + 2 * s * s)).exp() / (1 + 2 * s * s).sqrt(),
        "min(max(x,0),6)": lambda m, s: rectified(m, s, 1) - rectified(m - 6, s, 1),
        "x*min(max(x+3,0),6)/6": lambda m, s: (rectified(m + 3, s, 2) - rectified(m - 3, s, 2)) / 6
        - (rectified(m + 3, s, 1) + rectified(m - 3, s, 1)) / 2,
        "abs(x) > 0.5 ? x : 0": lambda m, s: rectified(m - arb(0.5), s, 1)
        + arb(0.5) * cdf((m - arb(0.5)) / s)
        - rectified(-m - arb(0.5), s, 1)
        - arb(0.5) * cdf((-m - arb(0.5)) / s),
    }
    return table.get(name)


def pair(phi, psi, law):
    """E[phi(u) psi(v)], psi with a formula for its smoothing"""
    m, n = arb(law["mean_u"]), arb(law["mean_v"])
    s, t = arb(law["variance_u"]).sqrt(), arb(law["variance_v"]).sqrt()
    slope = arb(law["covariance"]) / s
    rest = (t * t - slope * slope).sqrt()
    smooth = smoothing(psi)
    points = [(arb(k) - m) / s for k in FUNCTIONS[phi][0]] + [-m / s, (arb(0.375) - m) / s]
    if law["covariance"] != 0:
        points += [(arb(k) - n) / slope for k in FUNCTIONS[psi][0] + [0]]
    far = reach(s, points) + 2 * min(float(t), 30)
    if phi == "softplus":
        points += [arb(k) / 2 for k in range(-40, 41)]
    points = [arb(-far)] + sorted((p for p in points if -far < p < far), key=float) + [arb(far)]
    total = arb(0)
    for left, right in zip(points, points[1:]):
        outer = piece(phi, float(m + s * (left + right) / 2))
        f = lambda z, a: outer(m + s * z, a) * smooth(n + slope * z, rest) * density(z)
        total += integral(f, [left, right])
    return total


def logistic_pair(phi, psi, law):
    """both levels by the trapezoidal rule; poles are at distance pi/(steepness deviation)"""
    m, n = arb(law["mean_u"]), arb(law["mean_v"])
    s, t = arb(law["variance_u"]).sqrt(), arb(law["variance_v"]).sqrt()
    slope = arb(law["covariance"]) / s
    rest = (t * t - slope * slope).sqrt()

    steepness = 2 if "tanh" in (phi, psi) else 1  # tanh(x) is 2 logistic(2x) - 1

    def grid(deviation):
        deviation = steepness * float(deviation)
        step = min(0.4, 2 * math.pi**2 / max(deviation, 1e-3) / 60)
        far = 12.5 + deviation
        return step, [k * step for k in range(-int(far / step), int(far / step) + 1)]

    f = lambda name, x: FUNCTIONS[name][1][0](acb(x), False).real
    h, outer = grid(max(float(s), float(abs(slope))))
    g, inner = grid(rest)
    weights = [density(arb(z)) * rest_free for z, rest_free in ((z, arb(g)) for z in inner)]
    total = arb(0)
    for z in outer:
        centre = n + slope * arb(z)
        mean = arb(0)
        for weight, w in zip(weights, inner):
            mean += weight * f(psi, centre + rest * arb(w))
        total += density(arb(z)) * arb(h) * f(phi, m + s * arb(z)) * mean
    return total


def random_law(rng):
    variance = lambda: 10 ** rng.uniform(-6, 2) if rng.random() < 0.7 else 10 ** rng.uniform(-1, 1)
    mean = lambda: 0.0 if rng.random() < 0.4 else rng.choice([-1, 1]) * 10 ** rng.uniform(-3, 1.7)
    return mean(), variance()


def random_correlation(rng):
    kind = rng.random()
    if kind < 0.6:
        return rng.uniform(-1, 1)
    return rng.choice([-1, 1]) * (1 - 10 ** rng.uniform(-9, -1)) if kind < 0.9 else 10 ** rng.uniform(-9, -1)


def row(rng):
    names = list(FUNCTIONS)
    kind = rng.choice(["mean", "mean", "square", "square", "pair"])
    phi = rng.choice(names)
    mean, variance = random_law(rng)
    if phi == "exp":
        variance = min(variance, 25.0)
    law = {"kind": kind, "phi": phi, "mean_u": mean, "variance_u": variance}
    if kind != "pair":
        return law, single(phi, mean, variance, 1 if kind == "mean" else 2)
    psi = rng.choice([phi, rng.choice(names)])
    if psi == PEAKED and phi == PEAKED:
        psi = "relu"
    law["psi"] = psi
    if rng.random() < 0.4:
        law["mean_v"], law["variance_v"] = mean, variance
    else:
        law["mean_v"], law["variance_v"] = random_law(rng)
    if psi == "exp":
        law["variance_v"] = min(law["variance_v"], 25.0)
    law["covariance"] = random_correlation(rng) * math.sqrt(law["variance_u"]) * math.sqrt(law["variance_v"])
    if phi in LOGISTIC | {PEAKED} and psi in LOGISTIC | {PEAKED}:
        if PEAKED in (phi, psi) or max(law["variance_u"], law["variance_v"]) > 4:
            return None
        return law, logistic_pair(phi, psi, law)
    if smoothing(psi):
        return law, pair(phi, psi, law)
    swapped = {
        "mean_u": law["mean_v"],
        "mean_v": mean,
        "variance_u": law["variance_v"],
        "variance_v": variance,
        "covariance": law["covariance"],
    }
    return law, pair(psi, phi, swapped)


def main():
    count, rng = int(sys.argv[1]), random.Random(int(sys.argv[2]))
    done = 0
    while done < count:
        drawn = row(rng)
        if drawn is None:
            continue
        law, value = drawn
        # A sum that cancels is known absolutely; the tails of what is positive are known relatively.
        cancels = {law["phi"], law.get("psi")} & OSCILLATING
        if not value.is_finite() or not value.rad() <= abs(value.mid()) * 1e-18 + (1e-30 if cancels else 0):
            continue  # no rigorous value of enough digits
        law["value"], law["radius"] = float(value.mid()), float(value.rad())
        print('{"rows": [' if done == 0 else ",", json.dumps(law), flush=True)
        done += 1
    print("]}")


if __name__ == "__main__":
    main()
