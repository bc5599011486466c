"""What the grader asks in hw3_mlp, and what the library answers.

Sizes within a case are pairwise distinct and none is 1 or 2, where transposes and lost factors
would hide. Every case comes with two batch sizes, the first of them twice, so that a stale cache
and a sum over calls show. In a large case a numeric derivative that takes one forward pair for each
element is too slow. Elements of an activation can be moved all at once, and that cannot be told
from a formula.
"""

from contextlib import suppress
from itertools import pairwise

import numpy as np

import nnscratch as nn
from nnscratch.grading.evidence import Mistake, Reference, claim, compare, draw_dy, unchanged
from nnscratch.grading.student import Fault, entry

BATCHES = (4, 4, 7)
LARGE = (50, 600, 400)  # batch, in and out features
WIDE = (200, 300)


# Linear -----------------------------------------------------------------------------------------


def linear_forward(student, rng):
    theirs, ours = _linear(student, 5, 3)
    for batch in BATCHES:
        W, b = _draw_params(theirs, ours, rng)
        x = rng.normal(size=(batch, 5))
        mistakes = {
            "bias_missing": Mistake(x @ W.T, "the bias is left out", "y = x Wᵀ + b"),
            "bias_sign": Mistake(x @ W.T - b, "the bias is subtracted", "y = x Wᵀ + b"),
        }
        yield ours.value(theirs.call("forward", x), x, hypotheses=mistakes)


def linear_backward(student, rng):
    theirs, ours = _linear(student, 5, 3)
    for batch in BATCHES:
        _draw_params(theirs, ours, rng)
        x, dy = rng.normal(size=(batch, 5)), draw_dy(rng, (batch, 3))
        yield from ours.gradients({"dx": _backward(theirs, [x], dy)}, x, dy=dy)
    theirs, ours, x, dy = _large(student, rng)
    yield compare("dx (large layer)", _backward(theirs, [x], dy), ours.backward(x, dy=dy)["dx"])


def linear_gradient(student, rng):
    theirs, ours = _linear(student, 5, 3)
    for batch in BATCHES:
        W, b = _draw_params(theirs, ours, rng)
        x, dy = rng.normal(size=(batch, 5)), draw_dy(rng, (batch, 3))
        yield from ours.gradients(_gradient(theirs, x, dy), x, dy=dy)
        params = theirs.get("params")
        yield unchanged("W", entry(params, "W", "params"), W)
        yield unchanged("b", entry(params, "b", "params"), b)
    theirs, ours, x, dy = _large(student, rng)
    dW = _gradient(theirs, x, dy)["W"]
    yield compare("dW (large layer)", dW, ours.backward(x, dy=dy)["W"])


def _backward(theirs, inputs, *dy, **options):
    """What backward returns. That forward raises is charged here only if backward needs more."""
    failed = None
    try:
        theirs.call("forward", *inputs, writes=True, keep=True)
    except Fault as fault:
        failed = fault
    try:
        return theirs.call("backward", *dy, **options)
    except Fault as fault:
        raise failed or fault from None


def _gradient(theirs, x, dy):
    """grads["W"] and grads["b"] after backward; its dx may raise once they are there."""
    before = _grads(theirs)
    try:
        _backward(theirs, [x], dy, writes=True, keep=True)
    except Fault:
        after = _grads(theirs)
        if not after or all(np.array_equal(after[name], before.get(name)) for name in after):
            raise
    grads = theirs.get("grads")
    return {name: entry(grads, name) for name in ("W", "b")}


def _grads(theirs):
    """The arrays among the gradients; nothing where there is no such dict."""
    try:
        grads = theirs.get("grads")
    except Fault:
        return {}
    items = grads.items() if isinstance(grads, dict) else ()
    return {name: array for name, array in items if isinstance(array, np.ndarray)}


def _linear(student, in_features, out_features):
    layer = nn.Linear(in_features, out_features, rng=0)
    return student.new("Linear", in_features, out_features), Reference(layer)


def _draw_params(theirs, ours, rng):
    """Other numbers in both, also for b: a bias of zeros hides that it is missing."""
    values = {name: rng.normal(size=array.shape) for name, array in ours.params.items()}
    theirs.set("params", values)
    for name, value in values.items():
        ours.set(name, value)
    return values["W"], values["b"]


def _large(student, rng):
    batch, in_features, out_features = LARGE
    theirs, ours = _linear(student, in_features, out_features)
    _draw_params(theirs, ours, rng)
    dy = draw_dy(rng, (batch, out_features))
    return theirs, ours, rng.normal(size=(batch, in_features)), dy


# Activations ------------------------------------------------------------------------------------


def sigmoid(student, rng):
    def of_y(x):
        other = 1 / (1 + np.exp(x))
        return {"exponent_sign": Mistake(other, "the exponent has the wrong sign", "1 / (1 + e⁻ˣ)")}

    def of_dx(x, dy):
        y = 1 / (1 + np.exp(-x))
        words = "this is the derivative of tanh", "that of the sigmoid is y (1 - y)"
        return {"other_derivative": Mistake(dy * (1 - y**2), *words)}

    yield from _activation(student, rng, "Sigmoid", nn.Sigmoid(), of_dx, of_y)


def tanh(student, rng):
    def of_dx(x, dy):
        y = np.tanh(x)
        words = "this is the derivative of the sigmoid", "that of tanh is 1 - y²"
        return {
            "other_derivative": Mistake(dy * y * (1 - y), *words),
            "square_missing": Mistake(dy * (1 - y), "y is not squared", "the derivative is 1 - y²"),
        }

    yield from _activation(student, rng, "Tanh", nn.Tanh(), of_dx)


def relu(student, rng):
    def of_dx(x, dy):
        by_dy = "the mask is taken from dy", "it is x > 0, kept by forward"
        slope = "dy is multiplied by y", "the derivative is 1 where x > 0, not x"
        return {
            "mask_of_dy": Mistake(dy * (dy > 0), *by_dy),
            "value_for_derivative": Mistake(dy * np.maximum(x, 0), *slope),
        }

    yield from _activation(student, rng, "ReLU", nn.ReLU(), of_dx)
    theirs, ours = student.new("ReLU"), Reference(nn.ReLU())
    for batch in BATCHES:
        x, dy = rng.normal(size=(batch, 3)), draw_dy(rng, (batch, 3))
        x[rng.permutation(batch)[:2], rng.permutation(3)[:2]] = 0.0
        theirs.call("forward", x)
        right = ours.backward(x, dy=dy)["dx"]
        passed = Mistake(
            [right + dy * (x == 0), right + 0.5 * dy * (x == 0)],
            "the gradient at x = 0 is passed on",
            "by convention it is 0 there, so the mask is x > 0",
        )
        mistakes = {"passed_at_zero": passed}
        yield compare("dx (x = 0)", theirs.call("backward", dy), right, mistakes)


def _activation(student, rng, name, layer, of_dx, of_y=lambda x: {}):
    theirs, ours = student.new(name), Reference(layer)
    for batch in BATCHES:
        # away from 0, where ReLU has its kink and where sigmoid and tanh are nearly straight
        x = draw_dy(rng, (batch, 5)) * rng.uniform(0.5, 2.0, (batch, 5))
        dy = draw_dy(rng, (batch, 5))
        yield ours.value(theirs.call("forward", x), x, hypotheses=of_y(x))
        got = {"dx": theirs.call("backward", dy)}
        yield from ours.gradients(got, x, dy=dy, hypotheses={"dx": of_dx(x, dy)})
    x, dy = draw_dy(rng, WIDE), draw_dy(rng, WIDE)
    theirs.call("forward", x, keep=True)
    yield compare("dx (large array)", theirs.call("backward", dy), ours.backward(x, dy=dy)["dx"])
    for size in (800.0, 5000.0):  # e^x is no finite number
        x, dy = size * rng.uniform(1, 2, (4, 3)), draw_dy(rng, (4, 3))
        x[rng.permutation(4)[:2]] *= -1
        yield compare("y (large x)", theirs.call("forward", x), ours.forward(x))
        right = ours.backward(x, dy=dy)["dx"]
        yield compare("dx (large x)", theirs.call("backward", dy), right)


# Losses -----------------------------------------------------------------------------------------


def half_squared_error(student, rng):
    theirs, ours = student.new("HalfSquaredError"), Reference(nn.MSELoss())
    for batch in (4, 4, 7):
        x, t = rng.normal(size=(batch, 3)), rng.normal(size=(batch, 3))
        loss = ours.forward(x, t)
        over_all = "divided by the number of all elements"
        mistakes = _loss_mistakes(loss, batch) | {
            "mean_over_features": Mistake(loss / 3, over_all, "sum over features, mean over N"),
            "square_missing": Mistake(0.5 * np.sum(x - t) / batch, "nothing is squared"),
        }
        yield ours.value(theirs.call("forward", x, t), x, t, name="loss", hypotheses=mistakes)
        yield from ours.gradients({"dx": theirs.call("backward")}, x, t)


def cross_entropy_forward(student, rng):
    theirs, ours = student.new("SoftmaxCrossEntropy"), Reference(nn.SoftmaxCrossEntropy())
    for batch in (4, 4, 7):
        x, labels = _logits(rng, batch)
        loss, p = ours.forward(x, labels), _softmax(x)
        right = p[np.arange(batch), labels]
        mistakes = _loss_mistakes(loss, batch) | {
            "mean_over_features": Mistake(
                loss / 5, "divided by samples times classes", "the mean is over N samples only"
            ),
            "log_missing": Mistake(-right.mean(), "the logarithm is left out", "-log p"),
            "wrong_axis": -np.mean(np.log(_softmax(x, axis=0)[np.arange(batch), labels])),
            "softmax_over_all": Mistake(
                loss + np.mean(np.log(np.exp(x).sum()) - np.log(np.exp(x).sum(axis=1))),
                *OVER_ALL,
            ),
        }
        got = theirs.call("forward", x, labels)
        yield ours.value(got, x, labels, name="loss", hypotheses=mistakes)
    for size in (900.0, 5000.0):
        x, labels = _logits(rng, 4)
        x = x + size * rng.permuted(np.tile([-1.0, -0.5, 0.0, 0.5, 1.0], (4, 1)), axis=1)
        x = x + size * np.array([[-4.0], [4.0], [0.0], [2.0]])  # the largest of all is not enough
        labels = np.where(labels == x.argmax(axis=1), (labels + 1) % 5, labels)
        p = _softmax(x)[np.arange(4), labels]
        clipped = Mistake(
            [-np.mean(np.log(np.maximum(p, small))) for small in 10.0 ** -np.arange(6, 17)],
            "log(p + small number) is not log p: a p that underflows to 0 has lost its logarithm",
            "compute -x_c + a + log Σ e^(x - a) from the logits",
        )
        got, loss = theirs.call("forward", x, labels), ours.forward(x, labels)
        yield compare("loss (large logits)", got, loss, {"clipped_logarithm": clipped})


def cross_entropy_backward(student, rng):
    theirs, ours = student.new("SoftmaxCrossEntropy"), Reference(nn.SoftmaxCrossEntropy())
    for batch in (4, 4, 7):
        x, labels = _logits(rng, batch)
        got, p, t = _backward(theirs, [x, labels]), _softmax(x), np.eye(5)[labels]
        columns = Mistake(
            (p - np.isin(np.arange(5), labels)) / batch,
            "1 is subtracted in whole columns",
            "dlogits[:, labels] is every row; dlogits[np.arange(N), labels] is one place in each",
        )
        all_p = np.exp(x) / np.exp(x).sum()
        mistakes = {
            "diagonal_jacobian": -t * (1 - p) / batch,  # of the full Jacobian only ∂p_c/∂x_c
            "wrong_axis": (_softmax(x, axis=0) - t) / batch,
            "softmax_over_all": Mistake((all_p - t) / batch, *OVER_ALL),
            "whole_columns": columns,
        }
        yield from ours.gradients({"dx": got}, x, labels, hypotheses={"dx": mistakes})
    for size in (900.0, 5000.0):
        x, labels = _logits(rng, 4)
        x = size * (x + np.array([[-4.0], [4.0], [0.0], [2.0]]))
        right = ours.backward(x, labels)["dx"]
        yield compare("dx (large logits)", _backward(theirs, [x, labels]), right)


OVER_ALL = (
    "the exponentials are summed over the whole batch",
    "a sum for each sample, axis=1, keepdims=True",
)


def _loss_mistakes(loss, batch):
    return {
        "factor_n": Mistake(loss * batch, "the loss is a sum over the samples", "divide by N"),
        "factor_1_n": Mistake(loss / batch, "the loss is divided by N twice", "once is enough"),
    }


def _logits(rng, batch):
    labels = rng.integers(0, 5, batch)
    labels[:3] = rng.permutation(5)[:3]  # never all the same
    return rng.normal(size=(batch, 5)), labels


def _softmax(x, axis=1):
    exps = np.exp(x - x.max(axis=axis, keepdims=True))
    return exps / exps.sum(axis=axis, keepdims=True)


# The network and its optimizer ------------------------------------------------------------------

SIZES = [5, 7, 6, 3]
KINDS = ["Linear", "ReLU", "Linear", "ReLU", "Linear"]


def mlp_forward(student, rng):
    theirs, layers = _mlp(student)
    linears = [layer for kind, layer in layers if kind == "Linear"]
    wanted = len(SIZES) - 1
    yield claim(
        "layers",
        len(linears) == wanted,
        "layers_missing",
        f"self.layers of MLP({SIZES}) has {len(linears)} Linear layers, expected {wanted}",
        "one for each pair of neighbours in sizes",
    )
    if len(linears) != wanted:
        return
    for batch in BATCHES:
        ours, params = _reference(rng)
        _fill(linears, params)
        x = rng.normal(size=(batch, SIZES[0]))
        last, plain = ours.forward(x), x
        for W, b in params:
            plain = plain @ W.T + b
        mistakes = {
            "activation_after_last": Mistake(
                np.maximum(last, 0),
                "there is a ReLU behind the last Linear",
                "outputs have both signs, so end with Linear",
            ),
            "no_activation": Mistake(
                plain, "there is no ReLU between the Linear layers", "Linear, ReLU, ..., Linear"
            ),
        }
        yield ours.value(theirs.call("forward", x), x, hypotheses=mistakes)


def mlp_backward(student, rng):
    theirs, layers = _mlp(student)
    if [kind for kind, _ in layers] != KINDS:  # that was charged to mlp_forward
        sizes = pairwise(SIZES)
        linears = [student.given("Linear", *pair) for pair in sizes]
        own = [linears[0], student.given("ReLU"), linears[1], student.given("ReLU"), linears[2]]
        layers = list(zip(KINDS, own, strict=True))
        theirs.set("layers", own)
    linears = [layer for kind, layer in layers if kind == "Linear"]
    for batch in BATCHES:
        ours, params = _reference(rng)
        _fill(linears, params)
        x, dy = rng.normal(size=(batch, SIZES[0])), draw_dy(rng, (batch, SIZES[-1]))
        with suppress(Fault):  # as was that
            theirs.call("forward", x, writes=True, keep=True)
        y = x
        for _, layer in layers:  # what backward finds in the layers is right in any case
            y = layer.call("forward", y, writes=True, keep=True)
        dx = theirs.call("backward", dy)
        right, straight = ours.backward(x, dy=dy), dy
        for W, _ in reversed(params):
            straight = straight @ W
        skipped = Mistake(
            straight, "the backward pass skips the ReLU layers", "go through every layer"
        )
        averaged = Mistake(
            right["dx"] / batch, "dx is divided by N", "the loss has done that already"
        )
        mistakes = {"activation_skipped": skipped, "factor_1_n": averaged}
        yield compare("dx", dx, right["dx"], mistakes)
        for i, (linear, values) in enumerate(zip(linears, params, strict=True)):
            grads, after = linear.get("grads"), linear.get("params")
            for name, value in zip(("W", "b"), values, strict=True):
                got, expected = entry(grads, name), right[f"{2 * i}.{name}"]
                yield compare(f"d{name} of Linear {i + 1}", got, expected)
                yield unchanged(f"{name} of Linear {i + 1}", entry(after, name, "params"), value)


def _mlp(student):
    """Their network, and (kind, layer) of each of its layers, which are the given ones."""
    student.replace("Linear", "ReLU")
    theirs = student.new("MLP", SIZES)
    layers = theirs.get("layers", keep=True)
    found = []
    for i in range(3 * len(SIZES)):
        try:
            layer = layers.item(i, keep=True)
            params = layer.get("params")
        except Fault:  # past the end, or no layer at all
            break
        found.append(("Linear" if isinstance(params, dict) and params else "ReLU", layer))
    return theirs, found


def _reference(rng):
    """The library's network with drawn parameters, and these as (W, b) of each Linear."""
    layers = []
    for n_in, n_out in pairwise(SIZES):
        layers += [nn.ReLU()] * bool(layers) + [nn.Linear(n_in, n_out, rng=0)]
    ours = Reference(nn.Sequential(*layers))
    values = {name: rng.normal(size=array.shape) for name, array in ours.params.items()}
    for name, value in values.items():
        ours.set(name, value)
    return ours, [(values[f"{2 * i}.W"], values[f"{2 * i}.b"]) for i in range(len(SIZES) - 1)]


def _fill(linears, params):
    for linear, (W, b) in zip(linears, params, strict=True):
        linear.set("params", {"W": W, "b": b})


def sgd(student, rng):
    for momentum in (0.9, 0.6, 0.0):
        kind = "" if momentum else " (momentum 0)"
        # two layers of the same shapes, so that velocities that they share are not refused
        layers = [
            student.given("Linear", 5, 3),
            student.given("ReLU"),
            student.given("Linear", 5, 3),
        ]
        linears = [layers[0], layers[2]]
        start = [_arrays(rng) for _ in linears]
        for linear, params in zip(linears, start, strict=True):
            linear.set("params", params)
        rate = float(rng.uniform(0.05, 0.2))
        theirs = student.new("SGD", layers, learning_rate=rate, momentum=momentum)
        ours = [_library_sgd(params, rate, momentum) for params in start]
        wrong = {code: _Descent(form, start, rate, momentum) for code, form in FORMS.items()}
        for _ in range(4):
            grads = [_arrays(rng) for _ in linears]
            for linear, gradients in zip(linears, grads, strict=True):
                linear.set("grads", gradients)
            theirs.call("step", keep=True)
            for descent in wrong.values():
                descent.step(grads)
            for i, linear in enumerate(linears):
                right = ours[i](grads[i])
                params, after = linear.get("params"), linear.get("grads")
                for name in ("W", "b"):
                    yield compare(
                        f"{name}{kind}",
                        entry(params, name, "params"),
                        right[name],
                        {c: Mistake(d.params[i][name], *WORDS[c]) for c, d in wrong.items()},
                    )
                    yield claim(
                        f"grads[{name!r}]",
                        np.array_equal(entry(after, name), grads[i][name]),
                        "mutated_input",
                        "the step wrote to the gradients",
                        "momentum * v + g makes a new array, g *= ... does not",
                    )


def _arrays(rng):
    return {"W": draw_dy(rng, (3, 5)), "b": draw_dy(rng, (3,))}


def _library_sgd(params, rate, momentum):
    """A function of gradients that returns the library's parameters after its step."""
    model = nn.Linear(5, 3, rng=0).astype(np.float64)
    for name, value in params.items():
        model.params[name] = value
    optimizer = nn.SGD(model, learning_rate=rate, momentum=momentum)

    def step(grads):
        optimizer.step(grads)
        return {name: np.array(array) for name, array in model.params.items()}

    return step


class _Descent:
    """A wrong form of the step, from the same start and with the same gradients."""

    def __init__(self, form, start, rate, momentum):
        self.form, self.rate, self.momentum = form, rate, momentum
        self.params = [dict(params) for params in start]
        self.velocity = {}

    def step(self, grads):
        for i, gradients in enumerate(grads):
            for name, g in gradients.items():
                key = name if self.form is SHARED else (i, name)
                v = self.velocity.get(key, np.zeros_like(g))
                w, v = self.form(self.params[i][name], v, g, self.rate, self.momentum)
                self.params[i][name], self.velocity[key] = w, v


def SHARED(w, v, g, rate, momentum):
    """The right form; the mistake is who shares v."""
    v = momentum * v + g
    return w - rate * v, v


FORMS = {
    "uphill": lambda w, v, g, r, m: (w + r * (m * v + g), m * v + g),
    "momentum_missing": lambda w, v, g, r, m: (w - r * g, v),
    "old_velocity": lambda w, v, g, r, m: (w - r * v, m * v + g),
    "gradient_damped": lambda w, v, g, r, m: (
        w - r * (m * v + (1 - m) * g),
        m * v + (1 - m) * g,
    ),
    "momentum_on_gradient": lambda w, v, g, r, m: (w - r * m * (v + g), m * (v + g)),
    "nesterov": lambda w, v, g, r, m: (w - r * (g + m * (m * v + g)), m * v + g),
    "learning_rate_missing": lambda w, v, g, r, m: (w - (m * v + g), m * v + g),
    "learning_rate_twice": lambda w, v, g, r, m: (w - r * (m * v + r * g), m * v + r * g),
    "velocity_not_decayed": lambda w, v, g, r, m: (w - r * (v + g), v + g),
    "not_updated": lambda w, v, g, r, m: (w, v),
    "velocity_shared": SHARED,
}
RULE = "v = momentum · v + g, then w = w - learning_rate · v"
WORDS = {
    "uphill": ("the step goes uphill, along the gradient", RULE),
    "momentum_missing": ("the velocity is not kept from step to step", RULE),
    "old_velocity": ("w moves by the velocity of the step before", f"first v, then w: {RULE}"),
    "gradient_damped": ("g is multiplied by 1 - momentum", RULE),
    "momentum_on_gradient": ("g is multiplied by momentum too", RULE),
    "nesterov": ("this is Nesterov's momentum", RULE),
    "learning_rate_missing": ("the learning rate is left out", RULE),
    "learning_rate_twice": ("the learning rate is applied twice", RULE),
    "velocity_not_decayed": ("the old velocity is not multiplied by momentum", RULE),
    "not_updated": (
        "the parameter stays as it was",
        "w = w - ... names a new array; write layer.params[name] -= ...",
    ),
    "velocity_shared": (
        "parameters of the same name in two layers share one velocity",
        "keep one for each layer and name",
    ),
}
