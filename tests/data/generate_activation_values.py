#!/usr/bin/env python3
"""Writes activation_values.inc: named activations at 25 places by mpmath, from their definitions in the papers
and in torch.nn's documentation, to 40 digits, rounded to 17.

Places are binary fractions, so that they are exact, around kinks, in tails, near 0 and far out."""
import pathlib

import mpmath as mp

mp.mp.dps = 60

PLACES = [-64, -30, -12.5, -6, -3, -3 + 2**-20, -1.5, -1, -0.5 - 2**-20, -0.5, -0.25, -2**-20, 0, 2**-20, 0.1,
          0.5, 0.5 + 2**-20, 1, 2.25, 3 - 2**-20, 3, 6, 6 + 2**-20, 17, 100]
relu = lambda x: mp.mpf(max(x, 0))
sigmoid = lambda x: 1 / (1 + mp.exp(-x))
softplus = lambda x: mp.log1p(mp.exp(x))
celu = lambda a: lambda x: relu(x) + min(mp.mpf(0), a * mp.expm1(x / a))
shrink_hard = lambda a: lambda x: x if abs(x) > a else mp.mpf(0)
shrink_soft = lambda a: lambda x: mp.sign(x) * relu(abs(x) - a)
rbf = lambda g: lambda x: mp.sqrt(2) * mp.sin(mp.sqrt(2 * g) * x + mp.pi / 4)
LAMBDA, ALPHA = mp.mpf("1.0507009873554804934193349852946"), mp.mpf("1.6732632423543772848170429916717")

FUNCTIONS = {
    "hardswish": lambda x: x * min(relu(x + 3), mp.mpf(6)) / 6,
    "mish": lambda x: x * mp.tanh(softplus(x)),
    "selu": lambda x: LAMBDA * (x if x > 0 else ALPHA * mp.expm1(x)),
    "celu": celu(mp.mpf(1)),
    "celu_2.5": celu(mp.mpf(2.5)),
    "elu_0.75": lambda x: x if x > 0 else mp.mpf(0.75) * mp.expm1(x),
    "relu6": lambda x: min(relu(x), mp.mpf(6)),
    "softsign": lambda x: x / (1 + abs(x)),
    "hardsigmoid": lambda x: min(relu(x + 3), mp.mpf(6)) / 6,
    "quick_gelu": lambda x: x * sigmoid(mp.mpf("1.702") * x),
    "gelu_tanh": lambda x: x / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3))),
    "tanhshrink": lambda x: x - mp.tanh(x),
    "hardshrink": shrink_hard(mp.mpf(0.5)),
    "hardshrink_0.25": shrink_hard(mp.mpf(0.25)),
    "softshrink": shrink_soft(mp.mpf(0.5)),
    "softshrink_1.5": shrink_soft(mp.mpf(1.5)),
    "threshold_0.5_20": lambda x: x if x > 0.5 else mp.mpf(20),
    "threshold_-0.25_-3": lambda x: x if x > -0.25 else mp.mpf(-3),
    "prelu": lambda x: x if x > 0 else x / 4,
    "logsigmoid": lambda x: -softplus(-x),
    "rbf": rbf(mp.mpf(1)),
    "rbf_0.5": rbf(mp.mpf(0.5)),
}

lines = ["// Written by generate_activation_values.py. {name, x, φ(x)}."]
for name, function in FUNCTIONS.items():
    for place in PLACES:
        x = mp.mpf(float(place))
        value = mp.mpf(function(x))
        if name == "gelu_tanh" and x < -5:  # 1 + tanh needs digits there
            mp.mp.dps = 20000
            value = mp.mpf(function(x))
            mp.mp.dps = 60
        text = mp.nstr(value, 17) if abs(value) > mp.mpf(10)**-300 else "0"
        lines.append(f'{{"{name}", {float(place)!r}, {text}}},')
pathlib.Path(__file__).with_name("activation_values.inc").write_text("\n".join(lines) + "\n")
