#!/usr/bin/env python3
"""Kernels of neural-tangents, for tests/config/peer_kernels_test.cpp.

usage: generate_peer_kernels.py > peer_kernels.json    (needs neural-tangents 0.6.5, jax 0.4.28, numpy < 2, scipy < 1.13)

A case is one network, written twice: as layers of this project and as stax's. The kernel is that of the outputs of the last
layer, upper triangle by rows. "disagreements" are cases where the peer computes something else on purpose or by mistake: with
its values, the right ones, computed here without either library, and the reason.
"""

import json
import math
import sys
import warnings

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)
import neural_tangents as nt  # noqa: E402
from neural_tangents import stax  # noqa: E402

warnings.filterwarnings("ignore")
N = 1  # widths do not matter to kernels
GRIDS = {1: (5,), 2: (4, 5), 3: (3, 2, 3)}  # by the number of axes


class Layer:
    """A layer as both libraries write it: `ours` are dicts, `theirs` is stax's."""

    def __init__(self, ours, theirs):
        self.ours, self.theirs = ours, theirs


def serial(*layers):
    return Layer([one for layer in layers for one in layer.ours], stax.serial(*(layer.theirs for layer in layers)))


def weights(weight_variance, bias_variance):
    keys = {"weight_variance": weight_variance, "bias_variance": bias_variance}
    return keys, {"W_std": math.sqrt(weight_variance), "b_std": math.sqrt(bias_variance)}


def dense(weight_variance=1.0, bias_variance=0.0):
    ours, theirs = weights(weight_variance, bias_variance)
    return Layer([{"type": "dense", **ours}], stax.Dense(N, **theirs))


def phi(name):
    return Layer([{"type": "activation", "activation": ACTIVATIONS[name][0]}], ACTIVATIONS[name][1])


def window(kernel, stride, padding):
    """What goes before ours, ours, and what all of stax's windows take."""
    ours = {"kernel": list(kernel), "stride": [stride] * len(kernel), "padding": padding.lower()}
    before = []
    if padding == "CIRCULAR" and stride > 1:  # by the rule of SAME
        added = [max(0, (-(-size // stride) - 1) * stride + one - size) for one, size in zip(kernel, GRIDS[len(kernel)])]
        before = [{"type": "pad", "mode": "circular", "before": [k // 2 for k in added], "after": [k - k // 2 for k in added]}]
        ours["padding"] = "valid"
    return before, ours, (kernel, (stride,) * len(kernel), padding)


def conv(kernel, stride=1, padding="VALID", variances=(1.5, 0.2), kind="conv"):
    before, ours, (shape, strides, name) = window(kernel, stride, padding)
    mine, theirs = weights(*variances)
    make = {"conv": stax.Conv, "local_conv": stax.ConvLocal, "transposed_conv": stax.ConvTranspose}[kind]
    if kind == "transposed_conv":
        ours["padding"] = 0  # VALID
    return Layer([*before, {"type": kind, **ours, **mine}], make(N, shape, strides, name, **theirs))


def pool(kind, kernel, stride, padding, normalize_edges=False):
    before, ours, (shape, strides, name) = window(kernel, stride, padding)
    layer = {"type": kind, **ours}
    if kind == "sum_pool":
        return Layer([*before, layer], stax.SumPool(shape, strides, name))
    layer["count_include_pad"] = not normalize_edges
    return Layer([*before, layer], stax.AvgPool(shape, strides, name, normalize_edges))


FLATTEN = Layer([{"type": "flatten"}], stax.Flatten())
MEAN = Layer([{"type": "global_avg_pool"}], stax.GlobalAvgPool())
SUM = Layer([{"type": "global_sum_pool"}], stax.GlobalSumPool())
IDENTITY = Layer([], stax.Identity())


def residual(layers, shortcut=IDENTITY):
    ours = {"type": "residual", "layers": layers.ours}
    if shortcut.ours:
        ours["shortcut"] = shortcut.ours
    both = stax.parallel(layers.theirs, shortcut.theirs)
    return Layer([ours], stax.serial(stax.FanOut(2), both, stax.FanInSum()))


def joined(kind, *branches):
    """concat or product of branches with weights of their own."""
    last = stax.FanInConcat(-1) if kind == "concat" else stax.FanInProd()
    theirs = stax.serial(stax.FanOut(len(branches)), stax.parallel(*(one.theirs for one in branches)), last)
    return Layer([{"type": kind, "branches": [one.ours for one in branches]}], theirs)


def layer_norm(over, axis):
    return Layer([{"type": "layer_norm", "over": over, "epsilon": 1e-12}], stax.LayerNorm(axis, 1e-12))


def dropout(drop):
    ours = {"type": "dropout", "rate": drop, "mode": "training"}
    return Layer([ours], stax.Dropout(1 - drop, "train"))


def rescale(factor):
    """Multiplies by a number."""
    return Layer([{"type": "rescale", "factor": factor}], stax.DotGeneral(rhs=factor))


def attention(variance, bias_variance=0.0):
    """Tied keys and queries, scores over n; one variance of all weights."""
    root = math.sqrt(variance)
    ours = {"type": "self_attention", "weights": "tied", "scaling": "1/n", "weight_variance": variance,
            "bias_variance": bias_variance}
    theirs = stax.GlobalSelfAttention(N, N, N, 1, linear_scaling=True, W_key_std=root, W_query_std=root, W_value_std=root,
                                      W_out_std=root, b_std=math.sqrt(bias_variance))
    return Layer([ours], theirs)


# What both call the same function: the name or expression here, and stax's layer.
ACTIVATIONS = {
    "relu": ("relu", stax.Relu()),
    "leaky_relu": ("leaky_relu_0.2", stax.LeakyRelu(0.2)),
    "abs": ("abs", stax.Abs()),
    "abrelu": ({"expression": "0.3*min(x, 0) + 1.4*max(x, 0)"}, stax.ABRelu(0.3, 1.4)),
    "erf": ("erf", stax.Erf()),
    "scaled erf": ({"expression": "1.3*erf(0.7*x) + 0.4"}, stax.Erf(1.3, 0.7, 0.4)),
    "sigmoid of erf": ({"expression": "0.5*erf(x/2.4020563531719796) + 0.5"}, stax.Sigmoid_like()),
    "gelu": ("gelu", stax.Gelu()),
    "sin": ("sin", stax.Sin()),
    "cos": ("cos", stax.Cos()),
    "shifted sin": ({"expression": "0.8*sin(1.7*x + 0.5)"}, stax.Sin(0.8, 1.7, 0.5)),
    "shifted cos": ({"expression": "1.2*cos(0.6*x - 0.3)"}, stax.Cos(1.2, 0.6, -0.3)),
    "rbf": ("rbf_0.7", stax.Rbf(0.7)),
    "sign": ("sign", stax.Sign()),
    "exp": ({"expression": "0.9*exp(0.5*x)"}, stax.Exp(0.9, 0.5)),
    "gaussian": ({"expression": "1.1*exp(-0.8*x^2)"}, stax.Gaussian(1.1, -0.8)),
    "gabor": ({"expression": "exp(-x^2)*sin(x)"}, stax.Gabor()),
    "square": ("power_2", stax.Monomial(2)),
    "cube": ("power_3", stax.Monomial(3)),
    "fourth power": ("power_4", stax.Monomial(4)),
    "polynomial": ({"expression": "0.2 + 0.7*x - 0.3*x^2 + 0.1*x^3"}, stax.Polynomial((0.2, 0.7, -0.3, 0.1))),
}

SMOOTH = ("erf", "relu")  # of the long grids


def inputs():
    """What networks are given: [samples, …, channels], of few digits."""
    generator = np.random.default_rng(20261127)
    shapes = {"vectors": (3, 5), "sequences": (3, *GRIDS[1], 2), "images": (2, *GRIDS[2], 2), "volumes": (2, *GRIDS[3], 1)}
    return {name: np.round(generator.normal(size=shape), 2) for name, shape in shapes.items()}


def perceptrons():
    for name in ACTIVATIONS:
        polynomial = name in ("cube", "fourth power", "exp")  # grow fast
        for variances in ((1.0, 0.0), (0.6, 0.3), (0.3, 0.1) if polynomial else (2.0, 0.1)):
            for depth in (1, 2) if polynomial else (1, 3):
                layers = [layer for _ in range(depth) for layer in (dense(*variances), phi(name))]
                yield f"{depth} × dense {variances}, {name}", "vectors", serial(*layers)
    for first in ("relu", "erf", "gelu"):
        for second in ("sin", "abs", "rbf", "sign"):
            yield f"{first}, then {second}", "vectors", serial(dense(1.2), phi(first), dense(0.8, 0.1), phi(second),
                                                               dense(1.4, 0.3))


def convolutions():
    for padding in ("VALID", "SAME", "CIRCULAR"):
        for kernel in ((3, 3), (2, 3), (1, 2)):
            for stride in (1, 2):
                for activation in SMOOTH:
                    for name, end in (("flatten", FLATTEN), ("mean", MEAN), ("sum", SUM)):
                        yield (f"conv {kernel} by {stride} {padding}, {activation}, {name}", "images",
                               serial(conv(kernel, stride, padding), phi(activation), end))
        for kernel, stride in ((2, 1), (3, 1), (3, 2)):
            for kind in ("conv", "local_conv"):
                yield (f"2 × {kind} {kernel} by {stride} {padding}", "sequences",
                       serial(conv((kernel,), stride, padding, (1.5, 0.2) if kind == "conv" else (1.5, 0.0), kind), phi("relu"),
                              conv((2,), 1, "SAME"), phi("erf"), MEAN))
        yield f"conv of volumes {padding}", "volumes", serial(conv((2, 2, 2), 1, padding), phi("relu"), MEAN)
        yield f"conv of volumes {padding}, flatten", "volumes", serial(conv((2, 1, 2), 1, padding), phi("erf"), FLATTEN)
    for stride in (1, 2):
        for kernel in ((2, 2), (3, 2)):
            yield (f"transposed conv {kernel} by {stride}", "images",
                   serial(conv(kernel, stride, "VALID", (1.3, 0.1), "transposed_conv"), phi("relu"), FLATTEN))


def pools():
    for kind in ("avg_pool", "sum_pool"):
        for padding in ("VALID", "SAME", "CIRCULAR"):
            for kernel, stride in (((2, 2), 1), ((2, 2), 2), ((3, 2), 2)):
                for name, end in (("flatten", FLATTEN), ("mean", MEAN)):
                    yield (f"{kind} {kernel} by {stride} {padding}, {name}", "images",
                           serial(conv((2, 2), 1, "SAME"), phi("relu"), pool(kind, kernel, stride, padding), dense(1.2, 0.1),
                                  phi("erf"), end))
    for stride in (1, 2):
        yield (f"avg_pool by {stride} without the edges", "images",
               serial(conv((2, 2), 1, "SAME"), phi("relu"), pool("avg_pool", (3, 3), stride, "SAME", True), FLATTEN))


def branches():
    for activation in ("relu", "erf", "gelu", "sin"):
        block = serial(dense(1.3, 0.1), phi(activation), dense(0.7))
        yield f"residual {activation}", "vectors", serial(dense(), residual(block), phi("relu"))
        yield f"residual {activation}, dense shortcut", "vectors", serial(dense(), residual(block, dense(0.5)), phi("relu"))
        first, second = serial(dense(1.3, 0.1), phi(activation)), serial(dense(0.7), phi("cos"))
        yield f"concat {activation}", "vectors", serial(joined("concat", first, second), dense(1.1), phi("relu"))
        yield f"product {activation}", "vectors", serial(joined("product", first, second), dense(1.1), phi("relu"))
        convolved = serial(conv((2, 2), 1, "SAME"), phi(activation), conv((2, 2), 1, "SAME"))
        yield f"resnet {activation}", "images", serial(conv((2, 2), 1, "SAME"), residual(convolved), phi("relu"), MEAN)


def others():
    for activation in ("relu", "erf", "gelu", "abs"):
        for variance in (0.5, 1.0, 1.5):
            yield (f"attention of variance {variance}, {activation}", "sequences",
                   serial(dense(1.2, 0.2), phi(activation), attention(variance), phi("relu"), MEAN))
            yield f"{activation}, dropout after {variance}", "vectors", serial(dense(variance), phi(activation), dropout(0.3),
                                                                               dense(1.1, 0.1), phi("erf"))
        yield f"{activation}, layer_norm", "vectors", serial(dense(1.4, 0.2), phi(activation), dense(), layer_norm("width", -1),
                                                             phi("erf"))
        yield (f"{activation}, layer_norm of samples", "images",
               serial(conv((2, 2)), phi(activation), conv((2, 2)), layer_norm("sample", (1, 2, 3)), phi("erf"), FLATTEN))
        yield f"{activation}, rescaled", "vectors", serial(dense(), phi(activation), rescale(0.6), dense(1.2), phi("erf"))


def kernel_of(layer, x):
    """float64 [samples, samples]."""
    made = layer.theirs[2](x, None, "nngp")
    return np.asarray(made, dtype=np.float64).reshape(len(x), len(x))


def expectation(function, covariance):
    """E φ(u)φ(v) by the trapezoidal rule, whose error falls as exp(−1/h) for functions that are analytic near the axis."""
    root = np.linalg.cholesky(covariance + 1e-300 * np.eye(2)) if np.linalg.det(covariance) > 1e-14 else np.array(
        [[math.sqrt(covariance[0, 0]), 0], [math.sqrt(covariance[0, 0]), 0]])
    step = 1 / 24
    t = np.arange(-9, 9 + step / 2, step)
    density = np.exp(-t**2 / 2) * step / math.sqrt(2 * math.pi)
    u = root[0, 0] * t[:, None]
    v = root[1, 0] * t[:, None] + root[1, 1] * t[None, :]
    return float(density @ (function(u) * function(v)) @ density)


def dual(function, gram):
    return np.array([[expectation(function, gram[np.ix_([i, j], [i, j])]) for j in range(len(gram))] for i in range(len(gram))])


def relu_dual(gram):
    """Cho and Saul's formula."""
    norms = np.sqrt(np.outer(np.diag(gram), np.diag(gram)))
    angle = np.arccos(np.clip(gram / norms, -1, 1))
    return norms * (np.sin(angle) + (math.pi - angle) * np.cos(angle)) / (2 * math.pi)


def disagreements(x):
    """name, ours, theirs, the right kernel, why."""
    gram = x @ x.T / x.shape[1]
    relu = {"type": "activation", "activation": "relu"}
    wanted = np.array([[half_square(gram[np.ix_([i, j], [i, j])]) for j in range(len(gram))] for i in range(len(gram))])
    twice = Layer([{"type": "dense"}, {"type": "residual", "layers": []}, relu],
                  stax.serial(stax.Dense(N), stax.FanOut(2), stax.FanInSum(), stax.Relu()))
    yield ("x + x", twice, relu_dual(4 * gram), "FanInSum takes its branches as independent: 2 K instead of 4 K")
    same = Layer([{"type": "dense"}, relu, {"type": "product", "branches": [[], []]}],
                 stax.serial(stax.Dense(N), stax.Relu(), stax.FanOut(2), stax.FanInProd()))
    yield ("relu(x)²", same, wanted, "FanInProd takes its branches as independent: K² instead of E relu(u)² relu(v)²")
    rectified = Layer([{"type": "dense"}, {"type": "activation", "activation": "rectified_power_2"}],
                      stax.serial(stax.Dense(N), stax.RectifiedMonomial(2)))
    yield "max(x, 0)²", rectified, wanted, "RectifiedMonomial has no number on the diagonal"
    for name, function, theirs, why in (
            ("gelu_tanh", lambda t: t * (1 + np.tanh(math.sqrt(2 / math.pi) * (t + 0.044715 * t**3))) / 2,
             stax.Gelu(approximate=True), "Gelu(approximate=True) has the kernel of the exact gelu"),
            ("sigmoid", lambda t: 1 / (1 + np.exp(-t)), stax.Sigmoid_like(), "there is erf in the place of the logistic function"),
            ("tanh", np.tanh, stax.ElementwiseNumerical(jax.numpy.tanh, 25), "Gauss and Hermite's rule of degree 25")):
        layer = Layer([{"type": "dense"}, {"type": "activation", "activation": name}], stax.serial(stax.Dense(N), theirs))
        yield name, layer, dual(function, gram), why


def half_square(covariance):
    """E relu(u)² relu(v)², Cho and Saul's J_2."""
    product = math.sqrt(covariance[0, 0] * covariance[1, 1])
    angle = math.acos(min(1.0, max(-1.0, covariance[0, 1] / product)))
    j = 3 * math.sin(angle) * math.cos(angle) + (math.pi - angle) * (1 + 2 * math.cos(angle)**2)
    return product**2 * j / (2 * math.pi)


def triangle(kernel):
    """By rows; null for what is no number."""
    entries = [float(kernel[i, j]) for i in range(len(kernel)) for j in range(i, len(kernel))]
    return [entry if math.isfinite(entry) else None for entry in entries]


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def main():
    given = inputs()
    stored = {name: {"grid": list(x.shape[1:-1]), "columns": x.reshape(-1, x.shape[-1]).tolist()} for name, x in given.items()}
    cases = []
    for family in (perceptrons, convolutions, pools, branches, others):
        for name, kind, layer in family():
            cases.append({"name": name, "inputs": kind, "layers": layer.ours,
                          "kernel": triangle(kernel_of(layer, given[kind]))})
            print(f"{len(cases)} {name}", file=sys.stderr)
    wrong = [{"name": name, "inputs": "vectors", "why": why, "layers": layer.ours, "kernel": triangle(right),
              "peer": triangle(kernel_of(layer, given["vectors"]))}
             for name, layer, right, why in disagreements(given["vectors"])]
    print("{" + f'"peer": "neural-tangents {nt.__version__}", "inputs": {compact(stored)},\n"cases": [')
    print(",\n".join(map(compact, cases)))
    print('],\n"disagreements": [')
    print(",\n".join(map(compact, wrong)))
    print("]}")


if __name__ == "__main__":
    main()
