"""Prints the stub of nngpcheck.layers: PYTHONPATH=build/release/python python3 scripts/layer_stubs.py
> python/nngpcheck/layers.pyi, after a layer was added."""

import inspect
import textwrap

from nngpcheck import _core, layers

TYPES = {"integers": "Union[int, Sequence[int]]", "width": "Union[int, str]", "activation": "Union[str, dict]",
         "number": "float", "numbers": "Sequence[float]", "table": "Sequence[Sequence[float]]", "integer": "int", "true|false": "bool"}


def type_of(parameter, options, parts):
    if parameter.name == "name":
        return "Optional[str]"
    if parameter.name in parts:
        kind = "Sequence[_Layers]" if parameter.name == "branches" else "_Layers"
        return kind if parameter.default is parameter.empty else f"Optional[{kind}]"
    kind = options[parameter.name]
    kind = TYPES.get(kind, "Union[str, int, Sequence[int]]" if "integers" in kind else "str")
    return f"Optional[{kind}]" if parameter.default is None else kind


def function(name, options, parts):
    types = {option[0]: option[1] for option in options}
    parameters = []
    for parameter in inspect.signature(getattr(layers, name)).parameters.values():
        if parameter.kind == parameter.KEYWORD_ONLY and "*" not in parameters:
            parameters.append("*")
        default = "" if parameter.default is parameter.empty else " = ..."
        parameters.append(f"{parameter.name}: {type_of(parameter, types, parts)}{default}")
    whole = ", ".join(parameter.replace(" ", "\0") for parameter in parameters) + ")\0->\0dict:\0..."
    indent = " " * len(f"def {name}(")
    return textwrap.fill(f"def\0{name}({whole}", 118, subsequent_indent=indent, break_long_words=False,
                         break_on_hyphens=False).replace("\0", " ")


def stub():
    head = "from typing import List, Optional, Sequence, Union\n\n_Layers = Sequence[dict]\n\n"
    functions = [function(name, options, parts) for name, _, options, parts, _ in _core.layer_kinds()]
    return head + "\n".join(functions) + "\n\n__all__: List[str]\n"


if __name__ == "__main__":
    print(stub(), end="")
