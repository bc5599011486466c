"""How objects hand over their parameters and gradients: the conventions that are understood.

    dx, grads = layer.backward(dy)       ours: grads a dict with the keys of layer.params
    dx, dw, db = layer.backward(dy)      CS231n: in the order of params
    dx = layer.backward(dy)              CMU mytorch: layer.dLdW, layer.dLdb are left behind

`params` is a dict, a list (named after the attributes that are its arrays), or absent: then the
parameters are the attributes that have a gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nnscratch.layers.base import Layer
from nnscratch.losses.base import Loss

MISSING = object()  # stands for a gradient that is not there
Gradients = dict[str, Any]
PLAIN = (int, float, complex, str, bytes, bool, type(None), np.ndarray, np.generic)
PATTERNS = ("dLd{}", "d{}", "dL_d{}", "grad_{}", "grad{}", "{}_grad", "{}grad", "d_{}", "g{}")
FIRST = ("w", "weight", "weights", "kernel", "gamma", "scale")
LAST = ("b", "bias", "biases", "beta", "shift")


def held_arrays(source: Any) -> Iterator[tuple[Any, Any, Any]]:
    """(holder, key, value) for everything inside an object, its lists and its dicts."""
    seen: set[int] = {id(source)}
    queue: list[Any] = [source]
    while queue:
        holder = queue.pop()
        if isinstance(holder, Mapping):
            items: list[tuple[Any, Any]] = list(holder.items())
        elif isinstance(holder, (list, tuple)):
            items = list(enumerate(holder))
        else:
            items = list(getattr(holder, "__dict__", {}).items())
        for key, value in items:
            yield holder, key, value
            inside = isinstance(value, (Mapping, list, tuple)) or hasattr(value, "__dict__")
            inside = inside and not isinstance(value, (*PLAIN, type)) and not callable_only(value)
            if inside and id(value) not in seen:
                seen.add(id(value))
                queue.append(value)


def callable_only(value: Any) -> bool:
    """Whether it is a function, a method or a module rather than a holder of arrays."""
    return type(value).__name__ in (
        "function",
        "method",
        "module",
        "builtin_function_or_method",
        "Generator",
        "RandomState",
    )


def find_params(source: Any) -> dict[str, np.ndarray]:
    """The live parameter arrays of an object by name."""
    if isinstance(source, Loss):
        return {}
    params = getattr(source, "params", None)
    if isinstance(params, Mapping):
        if not isinstance(source, Layer) and isinstance(params, dict):
            for key, value in params.items():
                if isinstance(value, (float, np.floating)):
                    params[key] = np.asarray(value, np.float64)  # can be moved in place
        return {str(k): v for k, v in params.items() if _is_float(v)}
    if isinstance(params, (list, tuple)):
        named = {id(v): k for k, v in vars(source).items() if _is_float(v)}
        return {
            named.get(id(value), f"params[{i}]"): value
            for i, value in enumerate(params)
            if _is_float(value)
        }
    own = [
        k
        for k in bare_params(source)
        if k.lower() in FIRST + LAST or _left_behind(source, k) is not MISSING
    ]
    found = {k: getattr(source, k) for k in own}
    for i, inner in enumerate(_inner(source)):
        found |= {f"{i}.{k}": v for k, v in find_params(inner).items()}
    return found


def bare_params(source: Any) -> list[str]:
    """The floating arrays among the attributes, weights before biases, without gradients."""
    if getattr(source, "params", None):
        return []
    arrays = [k for k, v in getattr(source, "__dict__", {}).items() if _is_float(v)]
    gradients = {p.format(n) for p in PATTERNS for a in arrays for n in (a, a.lower())}
    own = [
        k
        for k in arrays
        if k not in gradients and not k.startswith(("_", "running", "moving")) and k != "x"
    ]
    rank = dict.fromkeys(FIRST, 0) | dict.fromkeys(LAST, 2)
    return sorted(own, key=lambda name: rank.get(name.lower(), 1))


def find_returned(
    source: Any, returned: Any, params: list[str], candidates: list[str], names: list[str]
) -> Gradients:
    """What `backward` returned or left behind, under the names of the report.

    Parameters
    ----------
    params : list of str
        The names of the parameters.
    candidates : list of str
        The attributes that may be parameters too.
    names : list of str
        The names of the gradients by the inputs.
    """
    if isinstance(returned, Mapping):
        whole = dict(returned)
        dx = next((whole.pop(key) for key in ("dx", "x", "dX", "dLdx") if key in whole), MISSING)
        return _inputs(names, dx) | _params(source, params, whole)
    if isinstance(returned, (tuple, list)):
        parts = list(returned)
        if len(parts) == 2 and isinstance(parts[1], Mapping):
            return _inputs(names, parts[0]) | _params(source, params, parts[1])
        if len(names) == 1 or (parts and isinstance(parts[0], (tuple, list))):
            dx, rest = (parts[0] if parts else None), parts[1:]
        else:
            dx, rest = parts[: len(names)], parts[len(names) :]
        if all(part is None for part in rest) and not params:
            rest = []
        if not rest:
            return _inputs(names, dx) | _params(source, params, {})
        keys = candidates if len(candidates) == len(rest) else params
        keys = keys + [f"gradient {i}" for i in range(len(keys) + 1, len(rest) + 1)]
        missing: Gradients = dict.fromkeys(keys, MISSING)
        return _inputs(names, dx) | missing | dict(zip(keys, rest, strict=False))
    if returned is None and len(names) == 1:
        left = _left_behind(source, "x")
        returned = None if left is MISSING else left
    left = [k for k in candidates if k not in params and _left_behind(source, k) is not MISSING]
    return _inputs(names, returned) | _params(source, params + left, {})


def dx_names(inputs: Sequence[Any], is_loss: bool) -> list[str]:
    """ "dx" for one input, "dx[0]", "dx[1]", ... for several; a loss has one."""
    if is_loss or len(inputs) == 1:
        return ["dx"]
    return [f"dx[{i}]" for i in range(len(inputs))]


def _inputs(names: list[str], dx: Any) -> Gradients:
    if len(names) == 1:
        return {names[0]: dx}
    if isinstance(dx, (tuple, list)):
        return dict.fromkeys(names, MISSING) | dict(zip(names, dx, strict=False))
    return {names[0]: dx} | dict.fromkeys(names[1:], MISSING)


def _params(source: Any, params: list[str], grads: Mapping[Any, Any]) -> Gradients:
    if grads:
        return {name: _under_a_name(grads, name) for name in params}
    return {name: _left_behind(source, name) for name in params}


def _under_a_name(grads: Mapping[Any, Any], name: str) -> Any:
    spellings = [name] + [p.format(n) for p in PATTERNS for n in (name, name.lower())]
    return next((grads[key] for key in spellings if key in grads), MISSING)


def _left_behind(source: Any, name: str) -> Any:
    """The gradient of a parameter as an attribute, or in a dict or list of gradients."""
    first, _, rest = name.partition(".")
    if rest and first.isdigit() and int(first) < len(_inner(source)):
        return _left_behind(_inner(source)[int(first)], rest)
    for holder in ("grads", "gradients", "grad"):
        grads = getattr(source, holder, None)
        if isinstance(grads, Mapping):
            found = _under_a_name(grads, name)
            if found is not MISSING:
                return found
        elif isinstance(grads, (list, tuple)) and isinstance(source.params, (list, tuple)):
            names = list(find_params(source))
            if name in names and names.index(name) < len(grads):
                return grads[names.index(name)]
    attributes = getattr(source, "__dict__", {})
    for pattern in PATTERNS:
        for spelling in (name, name.lower()):
            key = pattern.format(spelling)
            if attributes.get(key) is not None:
                return attributes[key]
    return None if any(p.format(name) in attributes for p in PATTERNS) else MISSING


def _inner(source: Any) -> list[Any]:
    """The layers inside a container of other courses."""
    layers = getattr(source, "layers", None)
    return list(layers) if isinstance(layers, (list, tuple)) else []


def _is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"
