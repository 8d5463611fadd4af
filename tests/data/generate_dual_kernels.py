#!/usr/bin/env python3
"""Writes dual_kernels_extra.json: E[phi(u) psi(v)] to 25 digits, by other means than the library's.

Every expectation is one-dimensional, E[phi(u) E[psi(v) | u]], with the inner expectation a formula where one is
elementary (composite Gauss-Legendre outside, split at kinks and boundary layers), or, where both functions are
logistic, both levels by the trapezoidal rule, which converges exponentially for functions analytic in a strip.
Every value is computed by two rules that must agree to 1e-23 of E|phi psi|.

    python3 generate_dual_kernels.py [--check dual_kernels.json] > dual_kernels_extra.json

takes a few minutes with mpmath alone. --check compares with an existing table instead of writing one.
"""
import json
import sys

from mpmath import mp, mpf

mp.dps = 36
REACH = mpf(13)  # standard deviations; the density beyond is below 1e-36
SQRT2 = mp.sqrt(2)


def density(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def cdf(x):
    return mp.erfc(-x / SQRT2) / 2


def positive_part(x):
    return x if x > 0 else mpf(0)


def split_name(name):
    head, _, parameter = name.rpartition("_")
    return (head, parameter) if head in ("leaky_relu", "power", "rectified_power") else (name, None)


# Published decimals, as binary64.
SELU_SCALE, SELU_ALPHA = mpf(1.0507009873554804934193), mpf(1.6732632423543772848170)
CUBIC, QUICK = mpf(0.044715), mpf(1.702)

FUNCTIONS = {
    "identity": lambda x: x,
    "relu": positive_part,
    "abs": abs,
    "step": lambda x: mpf(1 if x > 0 else 0),
    "sign": lambda x: mpf((x > 0) - (x < 0)),
    "square": lambda x: x * x,
    "relu_squared": lambda x: positive_part(x) ** 2,
    "erf": mp.erf,
    "erf_sigmoid": lambda x: mp.erfc(-x) / 2,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "tanh": mp.tanh,
    "hardtanh": lambda x: min(max(x, mpf(-1)), mpf(1)),
    "gelu": lambda x: x * cdf(x),
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "softplus": lambda x: positive_part(x) + mp.log1p(mp.exp(-abs(x))),
    "elu": lambda x: x if x > 0 else mp.expm1(x),
    "sin": mp.sin,
    "cos": mp.cos,
    "exp": mp.exp,
    "gaussian": lambda x: mp.exp(-x * x),
    "selu": lambda x: SELU_SCALE * (x if x > 0 else SELU_ALPHA * mp.expm1(x)),
    "mish": lambda x: x * mp.tanh(mp.log1p(mp.exp(x))),
    "hardswish": lambda x: x * min(max(x + 3, mpf(0)), mpf(6)) / 6,
    "hardsigmoid": lambda x: min(max(x + 3, mpf(0)), mpf(6)) / 6,
    "relu6": lambda x: min(max(x, mpf(0)), mpf(6)),
    "softsign": lambda x: x / (1 + abs(x)),
    "tanhshrink": lambda x: x - mp.tanh(x),
    "hardshrink": lambda x: x if abs(x) > mpf(1) / 2 else mpf(0),
    "softshrink": lambda x: mp.sign(x) * positive_part(abs(x) - mpf(1) / 2),
    "logsigmoid": lambda x: min(x, mpf(0)) - mp.log1p(mp.exp(-abs(x))),
    "gelu_tanh": lambda x: x * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + CUBIC * x ** 3))) / 2,
    "quick_gelu": lambda x: x / (1 + mp.exp(-QUICK * x)),
}


def function(name):
    head, parameter = split_name(name)
    if head == "leaky_relu":
        slope = mpf(float(parameter))  # the double nearest to it, as the library reads it
        return lambda x: x if x > 0 else slope * x
    if head == "power":
        return lambda x: x ** int(parameter)
    if head == "rectified_power":
        return lambda x: positive_part(x) ** int(parameter)
    return FUNCTIONS[name]


def gelu_tanh_pole():
    """tanh(y) has poles at y = (k + 1/2) pi i."""
    scale = mp.sqrt(2 / mp.pi)
    roots = [root for k in range(4) for root in mp.polyroots([CUBIC, 0, 1, -mp.mpc(0, (k + mpf(1) / 2) * mp.pi) / scale])]
    return min(abs(mp.im(root)) for root in roots)


# The distance of the nearest pole from the real line.
LOGISTIC = {"sigmoid": mp.pi, "silu": mp.pi, "softplus": mp.pi, "tanh": mp.pi / 2, "tanhshrink": mp.pi / 2,
            "logsigmoid": mp.pi, "quick_gelu": mp.pi / QUICK, "mish": 3 * mp.pi / 4, "gelu_tanh": gelu_tanh_pole()}
ENTIRE = ("erf", "erf_sigmoid", "gelu", "gaussian")
CLOSED = ("sin", "cos", "exp", "gaussian")


KINKS = {"hardtanh": [-1, 1], "selu": [0], "hardswish": [-3, 3], "hardsigmoid": [-3, 3], "relu6": [0, 6], "softsign": [0],
         "hardshrink": [-0.5, 0.5], "softshrink": [-0.5, 0.5]}


def kinks(name):
    head, _ = split_name(name)
    if head in ("relu", "leaky_relu", "abs", "step", "sign", "relu_squared", "rectified_power", "elu"):
        return [mpf(0)]
    return [mpf(x) for x in KINKS.get(name, [])]


def rectified(m, s, power):
    """E[(m + s z)_+^power]."""
    low, high = cdf(m / s), m * cdf(m / s) + s * density(m / s)
    if power == 0:
        return low
    for p in range(2, power + 1):
        low, high = high, m * high + (p - 1) * s * s * low
    return high


def moment(m, s, power):
    low, high = mpf(1), m
    for p in range(2, power + 1):
        low, high = high, m * high + (p - 1) * s * s * low
    return high


def smoothed(name, m, s):
    """E[psi(m + s z)], s > 0."""
    head, parameter = split_name(name)
    half = mpf(1) / 2
    wide = mp.sqrt(1 + 2 * s * s)
    r = mp.sqrt(1 + s * s)
    if head in ("identity", "square", "power"):
        return moment(m, s, {"identity": 1, "square": 2}.get(head) or int(parameter))
    if head in ("relu", "relu_squared", "rectified_power", "step"):
        return rectified(m, s, {"step": 0, "relu": 1, "relu_squared": 2}.get(head, parameter and int(parameter)))
    if head == "leaky_relu":
        return rectified(m, s, 1) - mpf(float(parameter)) * rectified(-m, s, 1)
    return {
        "abs": lambda: rectified(m, s, 1) + rectified(-m, s, 1),
        "sign": lambda: mp.erf(m / s / SQRT2),
        "erf": lambda: mp.erf(m / wide),
        "erf_sigmoid": lambda: mp.erfc(-m / wide) / 2,
        "hardtanh": lambda: rectified(m + 1, s, 1) - rectified(m - 1, s, 1) - 1,
        "gelu": lambda: m * cdf(m / r) + s * s / r * density(m / r),
        "elu": lambda: rectified(m, s, 1) + mp.exp(m + s * s / 2) * cdf(-m / s - s) - cdf(-m / s),
        "selu": lambda: SELU_SCALE * (rectified(m, s, 1) + SELU_ALPHA *
                                      (mp.exp(m + s * s / 2) * cdf(-m / s - s) - cdf(-m / s))),
        "hardswish": lambda: (rectified(m + 3, s, 2) - 3 * rectified(m + 3, s, 1) - rectified(m - 3, s, 2)
                              - 3 * rectified(m - 3, s, 1)) / 6,
        "hardsigmoid": lambda: (rectified(m + 3, s, 1) - rectified(m - 3, s, 1)) / 6,
        "relu6": lambda: rectified(m, s, 1) - rectified(m - 6, s, 1),
        "hardshrink": lambda: (rectified(m - half, s, 1) + half * rectified(m - half, s, 0)
                               - rectified(-m - half, s, 1) - half * rectified(-m - half, s, 0)),
        "softshrink": lambda: rectified(m - half, s, 1) - rectified(-m - half, s, 1),
        "softsign": lambda: panel_integral(lambda z: FUNCTIONS[name](m + s * z), features(name, m, s), name),
        "sin": lambda: mp.exp(-s * s / 2) * mp.sin(m),
        "cos": lambda: mp.exp(-s * s / 2) * mp.cos(m),
        "gaussian": lambda: mp.exp(-m * m / wide ** 2) / wide,
    }[head]()


def gauss_legendre(n):
    """Nodes and weights on [-1, 1] by Newton's iteration."""
    result = []
    for i in range(n):
        x = mp.cos(mp.pi * (i + mpf(3) / 4) / (n + mpf(1) / 2))
        for _ in range(8):
            p0, p1 = mpf(1), x
            for k in range(2, n + 1):
                p0, p1 = p1, ((2 * k - 1) * x * p1 - (k - 1) * p0) / k
            slope = n * (x * p1 - p0) / (x * x - 1)
            x -= p1 / slope
        result.append((x, 2 / ((1 - x * x) * slope * slope)))
    return result


RULES = [gauss_legendre(34), gauss_legendre(44)]


def panels(points):
    """Panel ends for points (centre, width): close to a centre as its width asks, at most 2 wide."""
    ends = {mpf(x) for x in range(-12, 13, 2)} | {-REACH, REACH}
    for centre, width in points:
        if abs(centre) >= REACH:
            continue
        ends.add(centre)
        distance = width
        while 0 < distance < 2:
            ends |= {centre - distance, centre + distance}
            distance *= 2
    return sorted(x for x in ends if -REACH <= x <= REACH)


def agree(first, second, scale, what):
    assert abs(first - second) <= mpf(10) ** -23 * scale, (what, first, second, scale)
    return second


def panel_integral(f, points, what):
    ends = panels(points)
    sums = []
    for rule in RULES:
        total, absolute = mpf(0), mpf(0)
        for left, right in zip(ends, ends[1:]):
            centre, half = (left + right) / 2, (right - left) / 2
            for node, weight in rule:
                x = centre + half * node
                value = half * weight * density(x) * f(x)
                total += value
                absolute += abs(value)
        sums.append(total)
    if abs(sums[1]) <= mpf(10) ** -30 * absolute:
        return mpf(0)  # by symmetry, up to rounding
    return agree(sums[0], sums[1], absolute, what)


def features(name, mean, deviation):
    """Kinks, and the region where a smooth function changes, as points for `panels`."""
    result = [((kink - mean) / deviation, mpf(0)) for kink in kinks(name)]
    if name in LOGISTIC or name in ENTIRE or name in ("elu", "hardtanh", "selu", "softsign"):
        result.append((-mean / deviation, 1 / deviation))
    return result


def expectation(name, mean, variance):
    """E[phi(u)]."""
    if variance == 0:
        return function(name)(mean)
    if name == "exp":
        return mp.exp(mean + variance / 2)
    deviation = mp.sqrt(variance)
    if name in CLOSED:
        return smoothed(name, mean, deviation)
    phi = function(name)
    return panel_integral(lambda x: phi(mean + deviation * x), features(name, mean, deviation), name)


def logistic_pair(phi_name, psi_name, a, b, c, mean_u, mean_v, refine):
    """Both levels by the trapezoidal rule, with `refine` times the density of points that is needed."""
    phi, psi = function(phi_name), function(psi_name)
    slope, spread = c / mp.sqrt(a), mp.sqrt(b - c * c / a)

    def step(pole, deviation):
        return min(mpf(1) / 2, 2 * mp.pi * pole / deviation / 66) / refine

    h = step(LOGISTIC[phi_name], mp.sqrt(a))
    inner_step = step(LOGISTIC[psi_name], spread)
    inner = [(spread * k * inner_step, inner_step * density(k * inner_step))
             for k in range(-int(11.5 / inner_step), int(11.5 / inner_step) + 1)]
    total = mpf(0)
    for k in range(-int(11.5 / h), int(11.5 / h) + 1):
        x = k * h
        centre = mean_v + slope * x
        mean = sum(weight * psi(centre + shift) for shift, weight in inner)
        total += h * density(x) * phi(mean_u + mp.sqrt(a) * x) * mean
    return total


def logistic_grid(phi_name, psi_name, a, b, c, refine):
    """The same on a square grid in (u, v), zero means: psi is tabulated, the density of v given u a recurrence,
    both in fixed point."""
    phi, psi = function(phi_name), function(psi_name)
    variance = b - c * c / a
    h = 2 * mp.pi * min(LOGISTIC[phi_name], LOGISTIC[psi_name]) / 66 / refine
    rows, columns = int(11.5 * mp.sqrt(a) / h), int(11.5 * mp.sqrt(b) / h)
    bits = 150
    one = mpf(2) ** bits
    table = {j: int(psi(j * h) * one) for j in range(-columns, columns + 1)}
    q = int(mp.exp(-h * h / variance) * one)
    total = mpf(0)
    for i in range(-rows, rows + 1):
        centre = c / a * i * h
        reach = 11.5 * mp.sqrt(variance)
        low = max(-columns, int(mp.floor((centre - reach) / h)))
        high = min(columns, int(mp.ceil((centre + reach) / h)))
        start = int(mp.nint(centre / h))
        offset = start * h - centre
        inner = 0
        for sign in (1, -1):  # g_{j+1} = g_j r_j, r_{j+1} = r_j q, from the peak outwards
            j = start
            g = int(mp.exp(-offset * offset / (2 * variance)) * one)
            r = int(mp.exp(-(2 * sign * offset * h + h * h) / (2 * variance)) * one)
            while low <= j <= high:
                if sign > 0 or j != start:
                    inner += g * table[j] >> bits
                g, r, j = g * r >> bits, r * q >> bits, j + sign
        total += density(i * h / mp.sqrt(a)) * phi(i * h) * mpf(inner) / one
    return total * h * h / mp.sqrt(2 * mp.pi * variance * a)


def closed(name, a, b, c, mean_u, mean_v):
    """sin, cos, exp and gaussian are elementary."""
    minus, plus = mp.exp(-(a + b - 2 * c) / 2), mp.exp(-(a + b + 2 * c) / 2)
    if name == "sin":
        return (minus * mp.cos(mean_u - mean_v) - plus * mp.cos(mean_u + mean_v)) / 2
    if name == "cos":
        return (minus * mp.cos(mean_u - mean_v) + plus * mp.cos(mean_u + mean_v)) / 2
    if name == "exp":
        return mp.exp(mean_u + mean_v + (a + b) / 2 + c)
    d = (1 + 2 * a) * (1 + 2 * b) - 4 * c * c
    form = ((1 + 2 * b) * mean_u ** 2 + (1 + 2 * a) * mean_v ** 2 - 4 * c * mean_u * mean_v) / d
    return mp.exp(-form) / mp.sqrt(d)


def dual(phi_name, psi_name, a, b, c, mean_u, mean_v):
    what = (phi_name, psi_name, a, b, c, mean_u, mean_v)
    if c == 0 or a == 0 or b == 0:
        return expectation(phi_name, mean_u, a) * expectation(psi_name, mean_v, b)
    if phi_name == psi_name and phi_name in CLOSED:
        return closed(phi_name, a, b, c, mean_u, mean_v)
    if "exp" in (phi_name, psi_name):  # tilting
        if psi_name == "exp":
            phi_name, psi_name, a, b, mean_u, mean_v = psi_name, phi_name, b, a, mean_v, mean_u
        return mp.exp(mean_u + a / 2) * expectation(psi_name, mean_v + c, b)
    if psi_name in LOGISTIC and (phi_name not in LOGISTIC or b > a):
        phi_name, psi_name, a, b, mean_u, mean_v = psi_name, phi_name, b, a, mean_v, mean_u
    phi, psi = function(phi_name), function(psi_name)
    deviation, slope, rest = mp.sqrt(a), c / mp.sqrt(a), b - c * c / a
    points = features(phi_name, mean_u, deviation)
    if rest <= 0:  # correlation 1 or -1
        sign = mp.sign(c)
        points += [(sign * centre, width) for centre, width in features(psi_name, mean_v, mp.sqrt(b))]
        return panel_integral(lambda x: phi(mean_u + deviation * x) * psi(mean_v + sign * mp.sqrt(b) * x), points, what)
    if psi_name in LOGISTIC:
        if a > 9 and b > 9 and rest > 9 and mean_u == 0 and mean_v == 0:
            values = [logistic_grid(phi_name, psi_name, a, b, c, refine) for refine in (mpf(1), mpf(17) / 16)]
        else:
            values = [logistic_pair(phi_name, psi_name, a, b, c, mean_u, mean_v, refine) for refine in (mpf(1), mpf(17) / 16)]
        return agree(values[0], values[1], mp.sqrt(1 + a) * mp.sqrt(1 + b), what)
    spread = mp.sqrt(rest)
    points += [((kink - mean_v) / slope, spread / abs(slope)) for kink in kinks(psi_name)]
    if psi_name in ENTIRE or psi_name in ("elu", "hardtanh", "selu", "softsign"):
        points.append((-mean_v / slope, mp.sqrt(1 + rest) / abs(slope)))
    return panel_integral(lambda x: phi(mean_u + deviation * x) * smoothed(psi_name, mean_v + slope * x, spread),
                          points, what)


NAMES = ["identity", "relu", "leaky_relu_0.1", "abs", "step", "sign", "square", "relu_squared", "power_3",
         "rectified_power_3", "erf", "erf_sigmoid", "sigmoid", "tanh", "hardtanh", "gelu", "silu", "softplus", "elu",
         "sin", "cos", "exp", "gaussian"]
LAWS = [(1, 1, 1), (1, 1, -1), (1, 1, 0.999999), (1, 1, -0.999999), (1, 1, 0.999), (1, 1, -0.999), (1, 1, 0.5), (1, 1, 0),
        (100, 100, 50), (100, 100, 100), (100, 100, -99.9999), (100, 100, 99.9),
        (1e-8, 1e-8, 0.5e-8), (1e-8, 1e-8, 1e-8), (1e-8, 1e-8, -0.999e-8),
        (1e-8, 1, 5e-5), (1e-8, 100, -9.99e-4), (0.25, 4, -0.999), (100, 1, 5), (0, 1, 0),
        (1, 1, 0.5, 0.3, -0.7), (1, 2, -1.4, 1, 0.5), (100, 100, 99.9, 2, -3), (1, 1, 1, 0.5, -0.25)]
# Those that the library has as expressions.
EXPRESSIONS = ["selu", "mish", "hardswish", "hardsigmoid", "relu6", "softsign", "tanhshrink", "hardshrink", "softshrink",
               "logsigmoid", "gelu_tanh", "quick_gelu"]
EXPRESSION_LAWS = [(1, 1, 1), (1, 1, -0.999), (1, 1, 0.5), (1, 1, 0), (25, 16, 12), (0.25, 4, -0.999),
                   (1, 2, 0.5, 0.3, -0.7)]
CROSS = [("relu", "identity"), ("erf", "tanh"), ("step", "relu"), ("tanh", "sigmoid"), ("relu", "hardtanh"),
         ("identity", "tanh"), ("silu", "softplus"), ("elu", "erf_sigmoid"), ("sign", "abs"), ("exp", "sigmoid"),
         ("leaky_relu_0.1", "relu_squared"), ("power_3", "rectified_power_3"), ("sin", "gaussian"), ("gelu", "step"),
         ("erf", "erf_sigmoid")]
CROSS_LAWS = [(1, 1, 0.5), (1, 1, -0.999), (1, 1, 1), (4, 0.25, 0.999999), (100, 1, -5), (1, 1, 0.5, 0.3, -0.7)]


def cases():
    for name in NAMES:
        for law in LAWS:
            yield (name, name) + law + (0,) * (5 - len(law))
    for phi, psi in CROSS:
        for law in CROSS_LAWS:
            yield (phi, psi) + law + (0,) * (5 - len(law))
    for name in EXPRESSIONS:
        for law in EXPRESSION_LAWS:
            if name != "softsign" or law[2] in (1, 0):  # no formula for its smoothing, no strip of analyticity
                yield (name, name) + law + (0,) * (5 - len(law))


def main():
    if "--check" in sys.argv:
        with open(sys.argv[sys.argv.index("--check") + 1]) as file:
            for row in json.load(file)["rows"]:
                value = dual(row["activation"], row["activation"], mpf(row["a"]), mpf(row["b"]), mpf(row["c"]), mpf(0), mpf(0))
                known = mpf(row["value_str"])
                # the other table promises 15 digits
                assert abs(value - known) <= mpf(10) ** -15 * max(abs(known), mpf(10) ** -7), (row, value)
        return
    rows = []
    for phi, psi, a, b, c, mean_u, mean_v in cases():
        value = dual(phi, psi, *(mpf(float(x)) for x in (a, b, c, mean_u, mean_v)))
        rows.append({"phi": phi, "psi": psi, "a": float(a), "b": float(b), "c": float(c), "mean_u": float(mean_u),
                     "mean_v": float(mean_v), "value": float(value), "digits": mp.nstr(value, 25)})
        print(phi, psi, a, b, c, mean_u, mean_v, mp.nstr(value, 17), file=sys.stderr)
    meaning = ("value = E[phi(u) psi(v)], (u, v) normal with variances a, b, covariance c and means mean_u, mean_v, "
               "all exact binary64; names as in netsor/activation.hpp")
    lines = ",\n".join(json.dumps(row) for row in rows)
    print('{"meaning": ' + json.dumps(meaning) + ',\n"rows": [\n' + lines + "\n]}")


if __name__ == "__main__":
    main()
