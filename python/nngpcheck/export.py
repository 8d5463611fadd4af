"""Writes a PyTorch architecture as an archive that nngpcheck reads (docs/import.md): its graphs at three widths, the
parameters with the laws they were drawn from, example inputs, and outputs in float64. For a factory make(n) -> nn.Module:
python -m nngpcheck.export mymodel:make --input x.npy -o net.nngp"""
import argparse, contextlib, importlib, io, json, math, os, random, re, sys, zipfile  # noqa: E401
from unittest import mock

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

WIDTHS = (16, 32, 48)
MOVING = set("clone _to_copy copy cat stack index_select repeat flip roll tril triu constant_pad_nd".split())
# a x + b of a number x of a known law has a known law: (a, b) of the operators by their other operand.
AFFINE = {"mul": lambda c: (c, 0), "div": lambda c: (1 / c, 0), "neg": lambda c: (-1, 0), "add": lambda c: (1, c),
          "sub": lambda c: (1, -c), "rsub": lambda c: (-1, c)}


class Draws(TorchDispatchMode):
    """Watches a model being made: each storage has two shadows, which law each of its numbers has (0: not random), and
    which draw it is. Views share storage; operators that move numbers move the shadows alike."""

    def __init__(self):
        super().__init__()
        self.laws, self.count, self.shadows = [{"dist": "constant"}], 0, {}  # shadows keep their storage alive

    def shadow(self, tensor):
        """(laws, draws) of a tensor's numbers, as views."""
        storage = tensor.untyped_storage()
        if storage._cdata not in self.shadows:
            size = storage.nbytes() // max(tensor.element_size(), 1)
            self.shadows[storage._cdata] = storage, *(torch.zeros(size, dtype=torch.long) for _ in range(2))
        place = tensor.shape, tensor.stride(), tensor.storage_offset()
        return [s.as_strided(*place) for s in self.shadows[storage._cdata][1:]]

    def laws_in(self, tensor):
        known = tensor.untyped_storage()._cdata in self.shadows
        return [self.laws[k] for k in self.shadow(tensor)[0].unique().tolist() if k] if known else []

    def index(self, law):
        self.laws += [] if law in self.laws else [law]
        return self.laws.index(law)

    def record(self, tensor, law):
        numbers = self.count + 1 + torch.arange(tensor.numel()).view(tensor.shape)
        self.shadow(tensor)[0].fill_(self.index(law)), self.shadow(tensor)[1].copy_(numbers)
        self.count += tensor.numel()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs, schema = kwargs or {}, function._schema.arguments
        name = function.overloadpacket.__name__.rstrip("_")
        given = {a.name: a.default_value for a in schema} | dict(zip((a.name for a in schema), args)) | kwargs
        operands, outs = tensors((args, kwargs)), tensors([given[a.name] for a in schema if a.is_out])
        shape_only = torch.Tag.inplace_view in function.tags or name.startswith(("new_", "set")) or name.endswith("_like")
        read = [law for t in operands if not shape_only and all(t is not out for out in outs) for law in self.laws_in(t)]
        before = {t.untyped_storage()._cdata for t in operands}
        result = function(*args, **kwargs)
        written = tensors([given[a.name] for a in schema if a.alias_info and a.alias_info.is_write])
        written = written or [t for t in tensors(result) if t.untyped_storage()._cdata not in before]
        if torch.Tag.nondeterministic_seeded in function.tags:
            [self.record(t, drawn(name, given)) for t in written]
        elif read and name in ("fill", "zero") or outs and not read:
            [shadow.zero_() for t in written for shadow in self.shadow(t)]
        elif read and written and name in MOVING:
            self.move(function, name, args, kwargs, self.shadow(written[0]))
        elif read and written:
            self.transform(name, given, read, written)
        return result

    def move(self, function, name, args, kwargs, shadows):
        for k, shadow in enumerate(shadows):
            alike = lambda t: self.shadow(t)[k] if isinstance(t, torch.Tensor) and t.is_floating_point() else t
            moved, options = tree_map(alike, (args, kwargs))
            shadow.copy_(moved[1] if name == "copy" else moved[0] if name == "_to_copy" else function(*moved, **options))

    def transform(self, name, given, read, written):
        x, other = given.get("self"), given.get("other")
        other = other.item() if isinstance(other, torch.Tensor) and other.numel() == 1 and not self.laws_in(other) else other
        plain = isinstance(other, (int, float, type(None))) and given.get("alpha", 1) == 1
        if name in AFFINE and isinstance(x, torch.Tensor) and plain:
            laws, draws = (s.clone() for s in self.shadow(x))
            laws.apply_(lambda k: k and self.index(affine(self.laws[k], *AFFINE[name](other))))
            self.shadow(written[0])[0].copy_(laws), self.shadow(written[0])[1].copy_(draws)
        else:
            unknown = next((law for law in read if law["dist"] == "unknown"), {"dist": "unknown", "reason": name})
            [self.record(t, unknown) for t in written]

    @contextlib.contextmanager
    def watching(self, seed):
        """Draws the same each time, and knows the law of trunc_normal_, which is drawn by rejection."""
        torch.manual_seed(seed), np.random.seed(seed), random.seed(seed)
        original = torch.nn.init._no_grad_trunc_normal_

        def truncated(tensor, mean, std, a, b, generator=None):
            original(tensor, mean, std, a, b, generator)
            law = dict(zip(("mean", "std", "low", "high"), map(float, (mean, std, a, b))))
            self.record(tensor, {"dist": "truncated_normal"} | law)
            return tensor

        with mock.patch.object(torch.nn.init, "_no_grad_trunc_normal_", truncated), self:
            yield


def tensors(tree):
    return [t for t in tree_leaves(tree) if isinstance(t, torch.Tensor)]


def named(model):
    return dict([*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)])


def drawn(name, given):
    value = lambda key, default: float(given.get(key, default))
    if name in ("uniform", "rand", "rand_like"):
        return {"dist": "uniform", "low": value("from", 0), "high": value("to", 1)}
    if name in ("normal", "randn", "randn_like") and not tensors((given.get("mean"), given.get("std"))):
        return {"dist": "normal", "mean": value("mean", 0), "std": value("std", 1)}
    return {"dist": "unknown", "reason": name}


def affine(law, factor, shift):
    ends = sorted(factor * law[k] + shift for k in ("low", "high") if k in law)
    moments = {"mean": factor * law["mean"] + shift, "std": abs(factor) * law["std"]} if "std" in law else {}
    return law | moments | dict(zip(("low", "high"), ends))


def as_json(value):
    if isinstance(value, (torch.fx.Node, list, tuple)):
        return {"ref": value.name} if isinstance(value, torch.fx.Node) else [as_json(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    return value if isinstance(value, (bool, int, float, str)) else None  # dtypes and layouts: see types


def types_of(value):
    values = value if isinstance(value, (list, tuple)) else [value]
    if not all(isinstance(s, int) for t in tensors(values) for s in t.shape):
        raise ValueError("a tensor's size depends on the numbers of the input; take sizes that do not")
    return [{"shape": list(t.shape), "dtype": str(t.dtype)[6:]} if isinstance(t, torch.Tensor) else None for t in values]


def node_of(node):
    frames = re.findall(r'File "(.*)", line (\d+), in .*\n *(.*)', node.meta.get("stack_trace") or "")
    own = [f"{os.path.basename(f)}:{k}: {code}" for f, k, code in frames if f"{os.sep}torch{os.sep}" not in f]
    modules = [path for path, _ in (node.meta.get("nn_module_stack") or {}).values()]
    if isinstance(node.target, torch._ops.OpOverload):
        schema, op = node.target._schema.arguments, str(node.target)
        given = {a.name: a.default_value for a in schema} | dict(zip((a.name for a in schema), node.args)) | node.kwargs
    elif getattr(node.target, "__name__", "") == "getitem":
        op, given = "getitem", dict(zip(("self", "index"), node.args))
    else:
        raise ValueError(f"{own[-1] if own else node.name}: {node.target} is no plain operator (torch.cond?)")
    return {"name": node.name, "op": op, "args": {k: as_json(v) for k, v in given.items()}, "types": types_of(node.meta["val"]),
            "at": own[-1] if own else "", "module": modules[-1].replace("L['self'].", "") if modules else ""}


def program(make, inputs, n, train, save):
    """The architecture at one width: drawn, traced, run, and described."""
    draws, seen = Draws(), {}
    with draws.watching(0):
        model = make(n)
    if not isinstance(model, torch.nn.Module):
        raise ValueError(f"the factory returns {type(model).__name__} for n = {n}, not a torch.nn.Module")
    with Draws().watching(1):
        again = named(make(n))
    shadows = {k: [s.clone() for s in draws.shadow(t)] for k, t in named(model).items()}
    foreign = {k for k, t in named(model).items() if not shadows[k][0].any() and not torch.equal(again[k], t)}
    model = model.to(torch.get_default_dtype()).train(train)
    [t.data.copy_(t.data.float()) for k, t in named(model).items() if shadows[k][0].any()]  # 4 bytes are exact
    try:  # functional; linear, lstm, … stay whole
        exported = torch.export.export(model, inputs, strict=False).run_decompositions({})
    except Exception as error:
        raise ValueError(f"torch.export refuses the model of n = {n}: {type(error).__name__}: {str(error)[:300]}") from error

    def law_of(target, laws, numbers, name):
        used = laws.unique().tolist()
        if target in foreign or numbers.unique().numel() < numbers.numel():
            return {"dist": "unknown", "reason": "not drawn by torch" if target in foreign else "copies of some entries"}
        which = torch.searchsorted(torch.tensor(used), laws).byte()
        mixed = {"dist": "mixed", "laws": [draws.laws[k] for k in used]}
        return draws.laws[used[0]] if len(used) == 1 else mixed | {"map": save(f"{n}/{name}.laws", which)}

    def input_of(spec, node):
        entry = {"name": node.name, "kind": spec.kind.name.lower(), "target": spec.target, **types_of(node.meta["val"])[0]}
        if spec.kind.name == "USER_INPUT":
            return entry
        t = exported.state_dict[spec.target] if spec.target in exported.state_dict else exported.constants[spec.target]
        laws, numbers = shadows.get(spec.target) or draws.shadow(t)
        numbers = numbers[laws > 0]
        same = [k for k, (l, d) in seen.items() if l.shape == laws.shape and torch.equal(l, laws) and torch.equal(d, numbers)]
        near = [k for k, (l, d) in seen.items() if k not in same and torch.isin(numbers, d).any()]
        if laws.any() and not same:
            seen[node.name] = laws, numbers
        law = law_of(spec.target, laws, numbers, node.name)
        return entry | {"data": save(f"{n}/{node.name}", t), "law": law, "same_as": (same or [None])[0], "shares_with": near}

    outputs, nodes = exported.graph_signature.user_outputs, list(exported.graph.nodes)
    alive = set(outputs)
    for node in reversed(nodes):
        alive |= {a.name for a in node.all_input_nodes if node.name in alive}
    arguments = [a for a in zip(exported.graph_signature.input_specs, nodes)
                 if a[1].name in alive or a[0].kind.name == "USER_INPUT"]
    results = [torch.manual_seed(seed) and tensors(exported.module()(*inputs)) for seed in (0, 1)]
    return {"n": n, "random": not all(map(torch.equal, *results)), "inputs": [input_of(*a) for a in arguments],
            "nodes": [node_of(k) for k in nodes if k.op not in ("placeholder", "output") and k.name in alive],
            "outputs": [{"ref": ref, "data": save(f"{n}/output{k}", t)} for k, (ref, t) in enumerate(zip(outputs, results[0]))]}


def export(make, inputs, path, widths=WIDTHS, train=False):
    """Writes make's architecture, applied to `inputs` (a tensor, or a tuple of them), to `path`."""
    files, default = {}, torch.get_default_dtype()

    def save(name, t):
        t, buffer = t.detach().contiguous(), io.BytesIO()
        np.save(buffer, (t.float() if t.dtype == torch.float64 and torch.equal(t.float().double(), t) else t).numpy())
        files[name + ".npy"] = buffer.getvalue()
        return name + ".npy"

    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    inputs = tuple(t.double() if t.is_floating_point() else t for t in inputs)
    torch.set_default_dtype(torch.float64)
    try:
        examples = [save(f"input{k}", t) for k, t in enumerate(inputs)]
        programs = [program(make, inputs, n, train, save) for n in widths]
    finally:
        torch.set_default_dtype(default)
    files["model.json"] = json.dumps({"format": "nngp-factory", "version": 1, "torch": torch.__version__, "train": train,
                                      "examples": examples, "programs": programs}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        [archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED) for name, data in files.items()]


def main():
    parser = argparse.ArgumentParser(prog="python -m nngpcheck.export", description=__doc__)
    parser.add_argument("factory", help="MODULE:FUNCTION, a function of the width that returns a torch.nn.Module")
    parser.add_argument("--input", action="append", required=True, help="an example input, .npy; several in order")
    parser.add_argument("-o", "--output", required=True, help="the archive, .nngp")
    parser.add_argument("--train", action="store_true", help="in training mode: batch norm over the examples")
    options = parser.parse_args()
    sys.path.insert(0, os.getcwd())
    module, _, function = options.factory.partition(":")
    try:
        inputs = tuple(torch.from_numpy(np.load(name)) for name in options.input)
        export(getattr(importlib.import_module(module), function), inputs, options.output, train=options.train)
    except (ImportError, AttributeError, OSError, ValueError) as error:
        sys.exit(f"nngpcheck.export: {error}")


if __name__ == "__main__":
    main()
