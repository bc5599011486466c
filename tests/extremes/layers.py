"""The passes of layers at extreme numbers, here and in torch."""

import warnings
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest

from tests.extremes.reasons import reason
from tests.layer_cases import CASES

DTYPES = ("float16", "float32", "float64")
TOLERANCES = {"float16": 4e-3, "float32": 1e-5, "float64": 1e-9}
LEAST = {name: float(np.finfo(name).smallest_normal) for name in DTYPES} | {"float16": 5e-7}
NUMBERS = {"0": 0.0, "subnormal": None, "1e4": 1e4, "-1e4": -1e4, "1e30": 1e30, "-1e30": -1e30}
NUMBERS |= {"inf": np.inf, "-inf": -np.inf, "nan": np.nan}
PLACES = ("one", "all", "dy")  # one number of each input, every number, one number of dy


def text(case):
    return " ".join(repr(case.build()).split())


@dataclass
class At:
    """One call of the three passes: which layer, which number stands where."""

    case: object
    dtype: str
    number: str
    place: str

    @property
    def value(self):
        """The number as the dtype has it."""
        given = NUMBERS[self.number]
        tiny = float(np.finfo(self.dtype).smallest_subnormal)
        with np.errstate(over="ignore"):
            return np.array(8 * tiny if given is None else given).astype(self.dtype)

    def put(self, array, how):
        array = np.array(array)
        if array.dtype.kind == "f" and array.size:
            index = ... if how == "all" else np.unravel_index(array.size // 3, array.shape)
            array[index] = self.value
        return array

    def arguments(self, zeros=False):
        """(layer, inputs, dy); with zeros the inputs that would hold the number everywhere do."""
        rng, case = np.random.default_rng(0), self.case
        layer = case.build().astype(self.dtype)
        inputs = case.inputs(rng, batch=3 if case.batch_axis else None)
        inputs = [x.astype(self.dtype) if x.dtype.kind == "f" else x for x in inputs]
        if self.place != "dy":
            inputs = [x * 0 if zeros else self.put(x, self.place) for x in inputs]
        y, _ = layer.forward_pass(*inputs)
        dy = [rng.normal(size=np.shape(a)).astype(self.dtype) for a in several(y)]
        if self.place == "dy":
            dy = [self.put(of, "one") for of in dy]
        return case.build().astype(self.dtype), inputs, dy


def several(y):
    return y if isinstance(y, tuple) else (y,)


def named(y, dx, grads):
    """All results under one name each, in float64."""
    found = {}
    for name, parts in (("y", several(y)), ("dx", several(dx))):
        for number, part in enumerate(parts):
            if part is not None:
                found[name if len(parts) == 1 else f"{name}[{number}]"] = part
    return {name: np.asarray(part, np.float64) for name, part in {**found, **grads}.items()}


def here(layer, inputs, dy):
    y, cache = layer.forward_pass(*inputs)
    dx, grads = layer.backprop(tuple(dy) if isinstance(y, tuple) else dy[0], cache)
    return named(y, dx, grads)


def there(case, layer, inputs, dy, dtype):
    """torch's, computed in that dtype; None where it has no such function of it.

    Where torch has no such layer at all, in float64 what is given here.
    """
    if case.torch is None:
        return here(*in_float64(case, layer, inputs, dy)) if dtype == "float64" else None
    torch = pytest.importorskip("torch")

    def tensor(array, gradient=True):
        array = np.array(array)
        array = array.astype(dtype) if array.dtype.kind == "f" else array
        return torch.tensor(array, requires_grad=gradient and array.dtype.kind == "f")

    params = {name: tensor(array) for name, array in layer.params.items()}
    tensors = [tensor(x) for x in inputs]
    try:
        y = case.torch(torch, params, *tensors)
        torch.autograd.backward(list(several(y)), [tensor(of, gradient=False) for of in dy])
    except (NotImplementedError, RuntimeError):
        return None

    def gradient(of):
        return np.zeros(of.shape) if of.grad is None else of.grad.numpy()

    dx = tuple(gradient(x) if x.requires_grad else None for x in tensors)
    grads = {name: gradient(of) for name, of in params.items()}
    y = tuple(of.detach().numpy() for of in several(y))
    return named(y if len(y) > 1 else y[0], dx if len(dx) > 1 else dx[0], grads)


def in_float64(case, layer, inputs, dy):
    wide = case.build().astype("float64")
    for arrays, values in ((wide.params, layer.params), (wide.buffers, layer.buffers)):
        arrays.update(values)
    inputs = [x.astype(float) if x.dtype.kind == "f" else x for x in inputs]
    return wide, inputs, [of.astype(float) for of in dy]


def alike(a, b, dtype):
    """Where a is b, up to rounding of the largest number in b."""
    largest = np.abs(b[np.isfinite(b)]).max(initial=0)
    absolute = TOLERANCES[dtype] * largest + LEAST[dtype]
    return np.isclose(a, b, rtol=TOLERANCES[dtype], atol=absolute, equal_nan=True)


@dataclass
class Compared:
    """What came of one layer in one dtype."""

    torchs: int = 0  # arrays as torch's
    wide: int = 0  # as torch's in float64, rounded
    refused: int = 0  # by an error with a remedy
    reasons: Counter = field(default_factory=Counter)
    examples: dict = field(default_factory=dict)


def compare(case, dtype, numbers=tuple(NUMBERS), places=PLACES):
    """All numbers at all places."""
    done = Compared()
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for place in places:
            for number in numbers:
                _compare(done, At(case, dtype, number, place))
    return done


def _compare(done, at):
    try:
        arguments = at.arguments()
        mine = here(*arguments)
    except ValueError:
        done.refused += 1
        return
    other = there(at.case, *arguments, at.dtype)
    exact = {k: v.astype(at.dtype) for k, v in there(at.case, *arguments, "float64").items()}
    exact = {k: v.astype(np.float64) for k, v in exact.items()}
    for name, array in mine.items():
        of_torch = alike(array, other[name], at.dtype) if other else np.zeros(array.shape, bool)
        right = of_torch | alike(array, exact[name], at.dtype)
        if right.all():
            done.torchs += bool(of_torch.all())
            done.wide += not of_torch.all()
            continue
        wrong = np.unravel_index(int(np.argmin(right)), right.shape)
        why = reason(at, name, mine, other or exact, exact, ~right)
        done.reasons[why] += 1
        told = [f"{float(of[name][wrong]):.4g}" for of in (mine, other or exact)]
        where = f"{at.number} {'in dy' if at.place == 'dy' else 'at ' + at.place}, {name}"
        done.examples.setdefault(why, f"{where}: {told[0]} here, {told[1]} there")


def table(dtypes=DTYPES):
    """A line for each layer and dtype, and for each reason why something differs."""
    lines = [f"{'layer':58}{'dtype':9}{'torch':>6}{'wider':>6}{'other':>6}  why, and an example"]
    total = Counter()
    for case in CASES:
        for dtype in dtypes:
            done = compare(case, dtype)
            total.update(torch=done.torchs, wider=done.wide, refused=done.refused)
            total["other"] += done.reasons.total()
            refused = "  refused" * bool(done.refused)
            counts = f"{done.torchs:6}{done.wide:6}{done.reasons.total():6}"
            lines.append(f"{text(case)[:57]:58}{dtype:9}{counts}{refused}")
            for why, times in done.reasons.most_common():
                lines.append(f"{'':67}{times:18}  {why}: {done.examples[why]}")
    return "\n".join([*lines, f"all: {dict(total)}"])
