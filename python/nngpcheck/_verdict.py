"""What a check finds."""

from __future__ import annotations

import html
import json
import math
from typing import Any, Dict, List, Optional

import numpy as np

from ._kernel import Kernel


class Verdict:
    """The verdict of a check, and its evidence. It is true if, and only if, it is `agree`.

    Attributes:
        text: a line that begins with `agree`, `disagree` or `inconclusive`.
        verdict: that word.
        bound: no entry of the kernel is off by more, relative to √(K_aa K_bb), with probability ≥ 0.999; ∞ where
            nothing can be said.
        p_value: of `disagree`: at most so probable is such evidence if the kernel is right; else None.
        reason: why it is inconclusive and what would help, or which test rejected.
        diagnosis: what is wrong with the kernel, in words, where one explanation fits; else "".
        worst_entry: {"row", "column", "labels", "given", "estimated", "standard_error"}.
        detectable_error: an error of this size in any entry would most probably have been found.
        inputs: those that the last round looked at.
        estimate, estimate_standard_error: the networks' own estimate of the limit between these inputs.
        rounds: what each round found.
        seconds: what it took.
        evidence: all of it as a dict, as `nngpcheck check --json` writes it.
        table: the evidence in a few lines.
        kernel: what was checked.
    """

    def __init__(self, found: Dict[str, Any], kernel: Kernel) -> None:
        self.kernel = kernel
        self.text: str = found["text"]
        self.table: str = found["table"]
        self.inputs: List[int] = list(found["inputs"])
        self.labels: List[str] = list(found["labels"])
        self.estimate: np.ndarray = found["estimate"]
        self.estimate_standard_error: np.ndarray = found["estimate_standard_error"]
        self.evidence: Dict[str, Any] = json.loads(found["evidence"])

    @property
    def verdict(self) -> str:
        return self.evidence["verdict"]

    @property
    def bound(self) -> float:
        return _number(self.evidence["bound"])

    @property
    def detectable_error(self) -> float:
        return _number(self.evidence["detectable_error"])

    @property
    def p_value(self) -> Optional[float]:
        return self.evidence["p_value"]

    @property
    def reason(self) -> str:
        return self.evidence["reason"] or ""

    @property
    def caveat(self) -> str:
        return self.evidence["caveat"] or ""

    @property
    def diagnosis(self) -> str:
        return (self.evidence["diagnosis"] or {}).get("text", "")

    @property
    def worst_entry(self) -> Dict[str, Any]:
        return self.evidence["worst_entry"]

    @property
    def rounds(self) -> List[Dict[str, Any]]:
        return self.evidence["rounds"]

    @property
    def seconds(self) -> float:
        return _number(self.evidence["seconds"])

    def __bool__(self) -> bool:
        return self.verdict == "agree"

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        color = {"agree": "#2a7f3f", "disagree": "#b3261e"}.get(self.verdict, "#8a6d00")
        word, rest = self.text[:len(self.verdict)], self.text[len(self.verdict):]
        rows = []
        for line in self.table.splitlines():
            name, _, value = line.strip().partition("  ")
            rows.append(f"<tr><td style='text-align:left'>{html.escape(name)}</td>"
                        f"<td style='text-align:left'>{html.escape(value.strip())}</td></tr>")
        return (f"<div><b style='color:{color}'>{html.escape(word)}</b>{html.escape(rest)}"
                f"<table>{''.join(rows)}</table></div>")

    def plot(self, axes: Any = None) -> Any:
        """Every entry that the last round looked at: given minus estimated, with three of the networks' standard
        errors, and the kernel's own errors, relative to √(K_aa K_bb); the bound, or the tolerance, as lines. Needs
        matplotlib.

        Returns:
            The matplotlib axes.
        """
        import matplotlib.pyplot as plt

        if axes is None:
            _, axes = plt.subplots()
        scale, given, own = self._entries()
        rows, columns = np.tril_indices(len(given))
        off = ((given - self.estimate) / scale)[rows, columns]
        error = (3 * self.estimate_standard_error / scale + own)[rows, columns]
        value = (given / scale)[rows, columns]
        axes.errorbar(value, 100 * off, 100 * error, fmt=".", capsize=2, lw=0.8)
        axes.axhline(0, lw=0.8, color="gray")
        limit = self.evidence["tolerance"] or self.evidence["resolution"]
        for side in (-1, 1):
            axes.axhline(side * 100 * limit, lw=0.8, ls="--", color="gray")
        axes.set_xlabel("entry of the kernel / √(K_aa K_bb)")
        axes.set_ylabel("given − networks, % of √(K_aa K_bb)")
        axes.set_title(self.verdict)
        return axes

    def _entries(self) -> Any:
        """Between the inputs looked at: √(K_aa K_bb), the kernel, and its own errors relative to it."""
        some = np.ix_(self.inputs, self.inputs)
        given = self.kernel.value[some]
        root = np.sqrt(np.abs(np.diagonal(given)))
        scale = np.outer(root, root)
        scale[scale == 0] = np.abs(np.diagonal(given)).max() or 1
        return scale, given, (3 * self.kernel.standard_error + self.kernel.error_bound)[some] / scale


def _number(value: Optional[float]) -> float:
    return math.inf if value is None else value
