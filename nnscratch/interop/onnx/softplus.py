"""torch's Softplus, which its exporter writes with a threshold.

y = x where x > 20, else log(1 + e^x)        the two differ by 2e-9 at 20, less beyond
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

LEAST = 15  # of a threshold: there float32 does not tell x from log(1 + e^x)


def without_thresholds(nodes: Sequence[Any], constants: Mapping[str, np.ndarray]) -> list[Any]:
    """The nodes with such a Where as the Softplus alone, and without comparisons for it."""
    gives: dict[str, Any] = {name: node for node in nodes for name in node.output}
    spared = set()
    for node in nodes:
        if node.op_type != "Where" or len(node.input) != 3:
            continue
        greater: Any = gives.get(node.input[0])
        softplus: Any = gives.get(node.input[2])
        if (
            _is(greater, "Greater", 2)
            and _is(softplus, "Softplus", 1)
            and greater.input[0] == softplus.input[0] == node.input[1]
            and _is_large(constants.get(greater.input[1]))
        ):
            node.op_type, node.input[:] = "Identity", [node.input[2]]
            spared.add(greater.output[0])
    spared -= {name for node in nodes for name in node.input}
    return [node for node in nodes if not spared.issuperset(node.output) or not node.output]


def _is(node: Any, kind: str, inputs: int) -> bool:
    return node is not None and node.op_type == kind and len(node.input) == inputs


def _is_large(threshold: np.ndarray | None) -> bool:
    return threshold is not None and threshold.size == 1 and bool(threshold.item() >= LEAST)
