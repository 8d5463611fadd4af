"""Layers of architectures, one function per type; each returns the dict that a file would hold.

    from nngpcheck.layers import activation, dense, residual
    kernel([dense(), residual([activation("relu"), dense(weight_variance=2)]), activation("relu")], x)

Without an argument an option keeps its default. `name` is common: layers of one name share their weights. Parts are
lists of layers. The functions are made of the library's own table, so that they know what this version knows.
"""

from __future__ import annotations

import inspect
import json
from typing import Any, Callable

from . import _core


def _default(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _layer(name: str, summary: str, options: list, parts: list, optional: list) -> Callable[..., dict]:
    first = [inspect.Parameter(part, inspect.Parameter.POSITIONAL_OR_KEYWORD,
                               default=inspect.Parameter.empty if part not in optional else None) for part in parts]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD if name == "activation" else inspect.Parameter.KEYWORD_ONLY
    others = {option for option, _, _, _ in options}  # an option's default may be another one
    rest = [inspect.Parameter(option, kind, default=None if default in others else _default(default))
            for option, _, default, _ in options]
    last = [inspect.Parameter("name", inspect.Parameter.KEYWORD_ONLY, default=None)]
    signature = inspect.Signature(first + rest + last, return_annotation=dict)

    def layer(*args: Any, **kwargs: Any) -> dict:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise TypeError(f"{name}(): {error}; it is {name}{signature}") from None
        return {"type": name, **{key: value for key, value in given.items() if value is not None}}

    lines = [summary[:1].upper() + summary[1:] + "."]
    if options or parts:
        lines += ["", "Args:"]
    lines += [f"    {part}: a list of layers" + ("" if part != "branches" else ", or several in a list") for part in parts]
    lines += [f"    {option}: {meaning} ({type_}; {default})" for option, type_, default, meaning in options]
    layer.__doc__ = "\n".join(lines)
    layer.__name__ = layer.__qualname__ = name
    layer.__signature__ = signature  # type: ignore[attr-defined]
    return layer


__all__ = []
for _kind in _core.layer_kinds():
    globals()[_kind[0]] = _layer(*_kind)
    __all__.append(_kind[0])
