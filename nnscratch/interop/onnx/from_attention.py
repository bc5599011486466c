"""ONNX -> attention: one operator from opset 23 on, the formula of products and a softmax here.

y = softmax(q k' scale + mask) v        for each sample and head
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnscratch import layers as nn
from nnscratch.interop.onnx.call import MOST, Call

ATTRIBUTES = {"is_causal", "kv_num_heads", "q_num_heads", "scale", "softcap"}
ATTRIBUTES |= {"softmax_precision", "qk_matmul_output_mode"}  # of what is not there, or no number


def _attention(call: Call) -> Any:
    """q, k and v as (batch, heads, time, d), or with the heads side by side in the last axis."""
    if any(call.has(i) for i in (4, 5, 6)) or call.outputs > 1:
        raise ValueError("past keys and values, and outputs beside the first, are not there")
    call.only("softcap", 0, 0.0)
    if unknown := set(call.attributes) - ATTRIBUTES:
        raise ValueError(f"the attribute {min(unknown)} is not there")
    heads = [_heads(call, i) for i in range(3)]
    q, k, v = (_split(call, i, count) for i, count in enumerate(heads))
    if len(set(heads)) > 1:
        raise ValueError(f"{heads[0]} heads of queries beside {heads[1]} of keys are not there")
    d = call.operand(0).shape[-1] // (1 if call.operand(0).ndim == 4 else heads[0])
    scale = float(call.get("scale", 1 / np.sqrt(d)))
    causal = bool(call.get("is_causal", 0))
    if call.has(3) or (causal and _length(call, 0) != _length(call, 1)):
        scores = nn.MatMul()(q, nn.Transpose((0, 1, 3, 2))(k)) * scale
        y = nn.MatMul()(nn.Softmax()(_masked(call, scores)), v)
    else:
        own = scale * np.sqrt(d)
        y = nn.Attention(causal)(q if abs(own - 1) < 1e-6 else q * own, k, v)
    if call.operand(0).ndim == 4:
        return y
    time, features = _length(call, 0), call.operand(2).shape[-1]
    return nn.Reshape((-1, time, features))(nn.Transpose((0, 2, 1, 3))(y))


def _heads(call: Call, i: int) -> int:
    x = call.operand(i)
    return int(x.shape[1] if x.ndim == 4 else call.get("kv_num_heads" if i else "q_num_heads", 1))


def _split(call: Call, i: int, heads: int) -> Any:
    """With an axis for the heads."""
    x = call.operand(i)
    if x.ndim == 4:
        return call.node(i)
    parts = nn.Reshape((-1, _length(call, i), heads, x.shape[-1] // heads))(call.node(i))
    return nn.Transpose((0, 2, 1, 3))(parts)


def _length(call: Call, i: int) -> int:
    """Of a sequence, which must be fixed where heads are split, and for masks."""
    first, second = (array.shape[-2] for array in call.operand(i).arrays)
    if first != second:
        raise ValueError("attention over any number of steps is not there for such an operator")
    return int(first)


def _masked(call: Call, scores: Any) -> Any:
    """What may not be looked at gets the least score; a float mask is added as it is."""
    dtype = call.operand(0).array.dtype
    if dtype == np.float16:
        raise ValueError("masks in float16, whose scores would be rounded, are not there")
    least = np.finfo(dtype).min / 2  # a number still: no NaN comes of it
    known = np.zeros(())
    if _length(call, 0) * _length(call, 1) > MOST:
        raise ValueError("a mask for so many steps is too large")
    if call.get("is_causal", 0):
        known = np.triu(np.full((_length(call, 0), _length(call, 1)), least), 1)
    if call.has(3) and call.operand(3).node is None:
        mask = call.constant(3)
        mask = np.where(mask, 0, least) if mask.dtype.kind == "b" else np.maximum(mask, least)
        known = np.maximum(known + mask, least)
    elif call.has(3):
        if call.operand(3).array.dtype.kind == "b":
            raise ValueError("a mask of truths that is an input is not there")
        scores = scores + call.node(3)
    if known.ndim and (known <= least).all(-1).any():
        raise ValueError("a step that may look at no other is not there")
    return scores + known if known.ndim else scores


FROM_ATTENTION: dict[str, Callable[[Call], Any]] = {"Attention": _attention}
