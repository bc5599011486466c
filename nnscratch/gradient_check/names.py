"""What names mean in other people's code: gradients, parameters, arguments of backward.

Names are compared without case and underscores: dLdW, dL_dW and dl_dw are one name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "DX",
    "GRADS",
    "GRADS_GETTERS",
    "INPUTS",
    "OUTPUTS",
    "PARAMS_GETTERS",
    "PENALTIES",
    "RATES",
    "TARGETS",
    "VALUES",
    "gradient_names",
    "is_buffer",
    "is_cache",
    "is_dy",
    "is_input_again",
    "is_target_first",
    "plain",
    "rank",
]

# How the gradient of {} is called
FORMS = (
    *("dld{}", "d{}", "dl{}", "grad{}", "{}grad", "{}grads", "g{}", "{}gradient", "{}gradients"),
    *("gradient{}", "gradients{}", "gradof{}", "gradwrt{}", "grads{}", "delta{}", "nabla{}"),
    *("ded{}", "djd{}", "dcd{}", "dlossd{}", "dcostd{}", "der{}", "deriv{}", "derivative{}"),
    *("{}delta", "{}derivative", "lossgrad{}", "del{}"),
)
FIRST = ("w", "weight", "weights", "kernel", "kernels", "filters", "gamma", "scale", "g")
LAST = ("b", "bias", "biases", "beta", "shift")
SYNONYMS = (("w", "weight", "weights", "kernel", "kernels", "filters"), ("b", "bias", "biases"))
GRADS = (
    *("grads", "gradients", "grad", "_grads", "_gradients", "dparams", "derivatives", "gradient"),
    *("g", "param_grads", "grad_params", "params_grad", "deltas", "d_params"),
)
PARAMS_GETTERS = ("get_params", "get_parameters", "parameters", "params", "get_weights", "weights")
GRADS_GETTERS = ("get_grads", "get_gradients", "gradients", "grads", "get_grad", "param_grads")
VALUES = ("value", "data", "val", "tensor", "array", "param", "params", "values", "v", "p")
OF_VALUE = ("grad", "gradient", "g", "diff", "dvalue", "derivative", "grads", "dparam", "d")
INPUTS = ("x", "input", "inputs", "inputdata", "in", "xin", "a", "aprev", "data", "z", "inp")
DX = tuple(form.format(x) for x in (*INPUTS, "previous", "prev") for form in FORMS[:12])
OUTPUTS = ("output", "outputs", "out", "y", "a", "z", "result", "activation", "activations")
TARGETS = (
    *("t", "y", "target", "targets", "label", "labels", "ytrue", "truth", "groundtruth", "gt"),
    *("expected", "actual", "desired", "true", "truelabels", "trueval", "yt"),
)
PREDICTIONS = (
    *("p", "pred", "preds", "ypred", "ypreds", "yhat", "yp", "prediction", "predictions", "hat"),
    *("predicted", "predict", "predvals", "output", "outputs", "out", "logits", "logit", "scores"),
    *("probs", "prob", "probabilities", "a", "al", "aout", "activation", "activations", "estimate"),
    *("result", "ypredicted", "yout", "youtput", "modeloutput"),
)
RATES = (
    *("lr", "learningrate", "eta", "rate", "learnrate", "lrate", "stepsize", "alpha"),
    *("learningstep", "learnigrate"),
)
PENALTIES = (
    *("reg", "reglambda", "lambda", "lambd", "lmbda", "lam", "lamdb", "lamb", "l2", "l2lambda"),
    *("l2reg", "regularization", "weightdecay", "decay", "lambdareg", "regparam"),
)
CACHES = ("cache", "ctx", "context", "memory", "saved", "state", "tape", "caches", "memo")
BEGINS = re.compile(r"d|g[abhswxz]?$|gy|grad|delta|nabla|up|e$|err|adj|loss|prev|next|accum")
ENDS = re.compile(r"(grad|gradient|gradients|grads|error|err|delta|deriv|sensitivity|loss)$")
NO_DY = ("data", "dim", "dims", "dtype", "debug", "device", "epsilon", "eps", "epoch")


def plain(name: str) -> str:
    """The name without case, underscores and dots.

    Examples
    --------
    >>> plain("dL_dW"), plain("_dw")
    ('dldw', 'dw')
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


def gradient_names(name: str, exact: bool = False) -> Iterator[str]:
    """The plain names that a parameter's gradient may have, likely ones first.

    Examples
    --------
    >>> names = list(gradient_names("weights"))
    >>> "dweights" in names, "dw" in names
    (True, True)
    """
    own = plain(name)
    others = next((s for s in SYNONYMS if own in s), ()) if not exact else ()
    for spelling in dict.fromkeys((own, *others)):
        for form in FORMS:
            yield form.format(spelling)


def is_dy(name: str) -> bool:
    """Whether an argument of backward is a gradient by its name."""
    name = plain(name)
    if name in NO_DY or name in RATES or name in PENALTIES or "mask" in name:
        return False
    return bool(BEGINS.match(name) or ENDS.search(name))


def is_input_again(name: str) -> bool:
    """Whether an argument of backward is forward's input by its name: prev_a, layer_input."""
    ends = ("prev", "input", "inputs")
    return plain(name).startswith(("prev", "input", "last")) or plain(name).endswith(ends)


def is_cache(name: str) -> bool:
    """Whether an argument of backward is what forward kept."""
    name = plain(name)
    return name in CACHES or name.endswith("cache")


def is_buffer(name: str) -> bool:
    """Whether an array is a statistic by its name, and no parameter."""
    return bool(re.match(r"(running|moving|run|avg|average|ema|pop(ulation)?)[a-z]*", plain(name)))


def is_target_first(names: Sequence[str]) -> bool:
    """Whether of the first two inputs the target is named before the prediction.

    Examples
    --------
    >>> is_target_first(["y_true", "y_pred"]), is_target_first(["y", "t"])
    (True, False)
    """
    first, second = [*map(plain, names[:2]), "", ""][:2]
    if first not in TARGETS or second == "" or second in ("t", "target", "targets"):
        return False
    return second in PREDICTIONS or (second == "y" and first != "y")


def rank(name: str) -> int:
    """Weights before other parameters, biases last: the order in which they are returned."""
    name = plain(name)
    if name in FIRST or name[:1] == "w":
        return 0
    return 2 if name in LAST or name[:1] == "b" else 1


def is_parameter(name: str) -> bool:
    """Whether an attribute is a parameter by its name alone."""
    return plain(name) in FIRST + LAST


def is_value_and_gradient(keys: Iterable[str]) -> tuple[str, str] | None:
    """The attributes of an object that is one parameter: (that of its value, of its gradient)."""
    by_name = {plain(key): key for key in keys}
    gradient = next((by_name[k] for k in OF_VALUE if k in by_name), None)
    value = next((by_name[k] for k in VALUES if k in by_name and by_name[k] != gradient), None)
    return (value, gradient) if value and gradient else None
