"""What the grader asks in hw3_mlp, and what the library answers."""

from contextlib import suppress
from itertools import pairwise

import numpy as np

import nnscratch as nn
from nnscratch.grading.checks import check
from nnscratch.grading.draws import Large, away, labels, normal
from nnscratch.grading.evidence import (
    Mistake,
    Reference,
    claim,
    compare,
    draw_dy,
    equal,
    unchanged,
)
from nnscratch.grading.layer_items import layer_items, loss_items
from nnscratch.grading.student import Fault, entry
from nnscratch.grading.training_check import network_layers, training_check

# Linear -----------------------------------------------------------------------------------------


def linear_mistakes(case):
    product = case.x @ case.params["W"].T
    return {
        "y": {
            "bias_missing": Mistake(product, "the bias is left out", "y = x Wᵀ + b"),
            "bias_sign": Mistake(
                product - case.params["b"], "the bias is subtracted", "y = x Wᵀ + b"
            ),
        }
    }


linear = layer_items(
    "Linear",
    nn.Linear,
    args=(5, 3),
    inputs=normal(5),
    large=Large(normal(50_000), args=(50_000, 5)),
    mistakes=linear_mistakes,
)
linear_forward = linear.value()
linear_backward = linear.dx()
linear_gradient = linear.grads("W", "b")


# Activations ------------------------------------------------------------------------------------


def sigmoid_mistakes(case):
    y = 1 / (1 + np.exp(-case.x))
    sign = Mistake(1 - y, "the exponent has the wrong sign", "1 / (1 + e⁻ˣ)")
    words = "this is the derivative of tanh", "that of the sigmoid is y (1 - y)"
    other = Mistake(case.dy * (1 - y**2), *words)
    whole = Mistake(
        [case.dy * (1 - y) ** 2, case.dy * y**2],
        "one of the two factors is taken twice",
        "the derivative is y (1 - y)",
    )
    return {
        "y": {"exponent_sign": sign},
        "dx": {"other_derivative": other, "factor_twice": whole},
    }


def tanh_mistakes(case):
    y = np.tanh(case.x)
    words = "this is the derivative of the sigmoid", "that of tanh is 1 - y²"
    whole = "1 - y is squared, not y", "the derivative is 1 - y²"
    missing = "y is not squared", "the derivative is 1 - y²"
    return {
        "dx": {
            "other_derivative": Mistake(case.dy * y * (1 - y), *words),
            "square_missing": Mistake(case.dy * (1 - y), *missing),
            "square_of_all": Mistake(case.dy * (1 - y) ** 2, *whole),
        }
    }


def relu_mistakes(case):
    dy, by_dy = case.dy, ("the mask is taken from dy", "it is x > 0, kept by forward")
    slope = "dy is multiplied by y", "the derivative is 1 where x > 0, not x"
    return {
        "dx": {
            "mask_of_dy": Mistake(dy * (dy > 0), *by_dy),
            "value_for_derivative": Mistake(dy * np.maximum(case.x, 0), *slope),
        }
    }


def activation(name, make, mistakes):
    # away from 0, where ReLU has its kink and where sigmoid and tanh are nearly straight
    return layer_items(
        name,
        make,
        inputs=away(5),
        large=Large(away(300), batch=200),
        extreme=(away(3, scale=800.0), away(3, scale=5000.0)),
        mistakes=mistakes,
    )


of_sigmoid = activation("Sigmoid", nn.Sigmoid, sigmoid_mistakes)
sigmoid = of_sigmoid.value(), of_sigmoid.dx()
of_tanh = activation("Tanh", nn.Tanh, tanh_mistakes)
tanh = of_tanh.value(), of_tanh.dx()
of_relu = activation("ReLU", nn.ReLU, relu_mistakes)


@check("ReLU")
def relu_at_zero(student, rng):
    theirs, ours = student.new("ReLU"), Reference(nn.ReLU())
    for batch in (4, 4, 7):
        x, dy = rng.normal(size=(batch, 3)), draw_dy(rng, (batch, 3))
        x[rng.permutation(batch)[:2], rng.permutation(3)[:2]] = 0.0
        theirs.call("forward", x)
        right = ours.backward(x, dy=dy)["dx"]
        passed = Mistake(
            [right + dy * (x == 0), right + 0.5 * dy * (x == 0)],
            "the gradient at x = 0 is passed on",
            "by convention it is 0 there, so the mask is x > 0",
        )
        got = theirs.call("backward", dy)
        yield compare("dx (x = 0)", got, right, {"passed_at_zero": passed})


relu = of_relu.value(), of_relu.dx(), relu_at_zero


# Losses -----------------------------------------------------------------------------------------


def averages(case, features):
    over_all = "divided by the number of all elements"
    return {
        "factor_n": Mistake(
            case.y * case.batch, "the loss is a sum over the samples", "divide by N"
        ),
        "factor_1_n": Mistake(
            case.y / case.batch, "the loss is divided by N twice", "once is enough"
        ),
        "mean_over_features": Mistake(case.y / features, over_all, "the mean is over N only"),
    }


def squared_error_mistakes(case):
    x, t = case.inputs
    plain = Mistake(0.5 * np.sum(x - t) / len(x), "nothing is squared")
    return {"y": averages(case, x.shape[1]) | {"square_missing": plain}}


squared_error = loss_items(
    "HalfSquaredError",
    nn.MSELoss,
    inputs=(normal(3), normal(3)),
    large=Large((normal(20_000), normal(20_000))),
    mistakes=squared_error_mistakes,
)
half_squared_error = squared_error.value(), squared_error.dx()


def softmax(x, axis=1):
    exps = np.exp(x - x.max(axis=axis, keepdims=True))
    return exps / exps.sum(axis=axis, keepdims=True)


def cross_entropy_mistakes(case):
    (x, c), n = case.inputs, len(case.x)
    p, t, rows = softmax(x), np.eye(x.shape[1])[c], np.arange(n)
    with np.errstate(all="ignore"):
        of_all = np.exp(x) / np.exp(x).sum()
        shifts = np.log(np.exp(x).sum()) - np.log(np.exp(x).sum(axis=1))
        over_all = (
            "the exponentials are summed over the whole batch",
            "a sum for each sample, axis=1, keepdims=True",
        )
        maximum = "the maximum is subtracted and not added back", "log Σ eˣ = a + log Σ e^(x - a)"
        clipped = (
            "log(p + small number) is not log p: a p that underflows to 0 has lost its logarithm",
            "compute -x_c + a + log Σ e^(x - a) from the logits",
        )
        columns = (
            "1 is subtracted in whole columns",
            "dlogits[:, labels] is every row; dlogits[np.arange(N), labels] is one in each",
        )
        of_p = "this is the gradient by the probability", "go on through the softmax: dx = p - t"
        one_per_column = np.isin(np.arange(x.shape[1]), c)
        return {
            "y": averages(case, x.shape[1])
            | {
                "log_missing": Mistake(-p[rows, c].mean(), "the logarithm is left out", "-log p"),
                "wrong_axis": -np.mean(np.log(softmax(x, axis=0)[rows, c])),
                "softmax_over_all": Mistake(case.y + shifts.mean(), *over_all),
                "maximum_not_added": Mistake(case.y - x.max(axis=1).mean(), *maximum),
            },
            "y (large x)": {
                "clipped_logarithm": Mistake(
                    [-np.mean(np.log(np.maximum(p[rows, c], 10.0**-k))) for k in range(6, 17)],
                    *clipped,
                )
            },
            "dx": {
                "diagonal_jacobian": -t * (1 - p) / n,  # of the full Jacobian only ∂p_c/∂x_c
                "wrong_axis": (softmax(x, axis=0) - t) / n,
                "softmax_over_all": Mistake((of_all - t) / n, *over_all),
                "whole_columns": Mistake((p - one_per_column) / n, *columns),
                "by_probability": Mistake([-t / p / n, -1 / p / n], *of_p),
            },
        }


def far_apart(size):
    """Logits so large that eˣ is no finite number, and that the largest of all is not enough."""

    def draw(rng, batch):
        x = rng.permuted(np.tile([-1.0, -0.5, 0.0, 0.5, 1.0], (batch, 1)), axis=1)
        far = rng.permutation(np.linspace(-4.0, 4.0, batch))[:, None]
        return size * (x + far) + rng.normal(size=(batch, 5))

    return draw


def unlikely(rng, batch):
    """Labels of which, with logits far apart, some have a probability of 0."""
    return (np.arange(batch) + rng.integers(5)) % 5


cross_entropy = loss_items(
    "SoftmaxCrossEntropy",
    nn.SoftmaxCrossEntropy,
    inputs=(normal(5), labels(5)),
    large=Large((normal(5000), labels(5000)), batch=80),
    extreme=((far_apart(900.0), unlikely), (far_apart(5000.0), unlikely)),
    mistakes=cross_entropy_mistakes,
)
cross_entropy_forward = cross_entropy.value()
cross_entropy_backward = cross_entropy.dx()


# The network and its optimizer ------------------------------------------------------------------

SIZES = [5, 7, 6, 3]
GIVEN = {"Linear": nn.Linear, "ReLU": nn.ReLU}


def network(sizes):
    layers = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.ReLU()] * bool(layers) + [nn.Linear(n_in, n_out, rng=0)]
    return nn.Sequential(*layers)


def both(student):
    """Their network, its layers with whether these have parameters, and the library's network."""
    theirs = student.new("MLP", SIZES)
    layers = network_layers(theirs.get("layers", keep=True), 3 * len(SIZES))
    return theirs, layers, Reference(network(SIZES))


def refill(linears, ours, rng):
    for i, linear in enumerate(linears):
        values = {k: rng.normal(size=ours.params[f"{2 * i}.{k}"].shape) for k in ("W", "b")}
        linear.set("params", values)
        for key, value in values.items():
            ours.set(f"{2 * i}.{key}", value)


@check("MLP", given=GIVEN)
def mlp_forward(student, rng):
    theirs, layers, ours = both(student)
    linears, wanted = [layer for layer, has_params in layers if has_params], len(SIZES) - 1
    yield claim(
        "layers",
        len(linears) == wanted,
        "layers_missing",
        f"self.layers of MLP({SIZES}) has {len(linears)} Linear layers, expected {wanted}",
        "one for each pair of neighbours in sizes",
    )
    if len(linears) != wanted:
        return
    for batch in (4, 4, 7):
        refill(linears, ours, rng)
        x = rng.normal(size=(batch, SIZES[0]))
        last, plain = ours.forward(x), x
        for i in range(wanted):
            plain = plain @ ours.params[f"{2 * i}.W"].T + ours.params[f"{2 * i}.b"]
        behind = (
            "there is a ReLU behind the last Linear",
            "outputs have both signs: end with Linear",
        )
        between = "there is no ReLU between the Linear layers", "Linear, ReLU, ..., Linear"
        mistakes = {
            "activation_after_last": Mistake(np.maximum(last, 0), *behind),
            "no_activation": Mistake(plain, *between),
        }
        yield ours.value(theirs.call("forward", x), x, hypotheses=mistakes)


@check("MLP", given=GIVEN)
def mlp_backward(student, rng):
    theirs, layers, ours = both(student)
    if [has_params for _, has_params in layers] != [True, False, True, False, True]:
        # that was charged to mlp_forward
        pairs = [("Linear", *pair) for pair in pairwise(SIZES)]
        own = student.stand_ins(pairs[0], ("ReLU",), pairs[1], ("ReLU",), pairs[2])
        theirs.set("layers", own)
        layers = [(layer, not i % 2) for i, layer in enumerate(own)]
    linears = [layer for layer, has_params in layers if has_params]
    for batch in (4, 4, 7):
        refill(linears, ours, rng)
        x, dy = rng.normal(size=(batch, SIZES[0])), draw_dy(rng, (batch, SIZES[-1]))
        with suppress(Fault):  # as was that
            theirs.call("forward", x, writes=True, keep=True)
        y = x
        for layer, _ in layers:  # what backward finds in the layers is right in any case
            y = layer.call("forward", y, keep=True)
        before = sum(made.forwards for made in student.made.values())
        dx = theirs.call("backward", dy)
        again = sum(made.forwards for made in student.made.values()) - before
        if again:
            raise Fault("numeric_derivative", f"MLP.backward ran forward of {again} layers")
        right, straight = ours.backward(x, dy=dy), dy
        for i in reversed(range(len(SIZES) - 1)):
            straight = straight @ ours.params[f"{2 * i}.W"]
        skipped = "the backward pass skips the ReLU layers", "go through every layer"
        averaged = "dx is divided by N", "the loss has done that already"
        mistakes = {
            "activation_skipped": Mistake(straight, *skipped),
            "factor_1_n": Mistake(right["dx"] / batch, *averaged),
        }
        yield compare("dx", dx, right["dx"], mistakes)
        for i, linear in enumerate(linears):
            grads, after = linear.get("grads"), linear.get("params")
            for key in ("W", "b"):
                expected, value = right[f"{2 * i}.{key}"], ours.params[f"{2 * i}.{key}"]
                yield compare(f"d{key} of Linear {i + 1}", entry(grads, key), expected)
                yield unchanged(f"{key} of Linear {i + 1}", entry(after, key, "params"), value)


def steps(w, v, g, r, m):
    """By form of the step: w and the velocity after it, and what was done."""
    s = m * v + g
    damped, twice, nesterov = m * v + (1 - m) * g, m * v + r * g, g + m * s
    return {
        "": (w - r * s, s, ""),
        "velocity_shared": (w - r * s, s, "parameters of one name in two layers share a velocity"),
        "uphill": (w + r * s, s, "the step goes uphill, along the gradient"),
        "momentum_missing": (w - r * g, v, "the velocity is not kept from step to step"),
        "old_velocity": (w - r * v, s, "w moves by the velocity of the step before"),
        "gradient_damped": (w - r * damped, damped, "g is multiplied by 1 - momentum"),
        "momentum_on_gradient": (w - r * m * (v + g), m * (v + g), "g is multiplied by momentum"),
        "nesterov": (w - r * nesterov, s, "this is Nesterov's momentum"),
        "learning_rate_missing": (w - s, s, "the learning rate is left out"),
        "learning_rate_twice": (w - r * twice, twice, "the learning rate is applied twice"),
        "velocity_not_decayed": (w - r * (v + g), v + g, "v is not multiplied by momentum"),
        "not_updated": (w, v, "the parameter stays as it was; write layer.params[name] -= ..."),
    }


RULE = "v = momentum · v + g, then w = w - learning_rate · v"


class Descents:
    """Where every form of the step leads, from the same start and with the same gradients."""

    def __init__(self, start, rate, momentum):
        self.rate, self.momentum = rate, momentum
        self.words = {code: words for code, (_, _, words) in steps(0, 0, 0, 0, 0).items()}
        self.params = {code: dict(start) for code in self.words}
        self.velocities = {code: {} for code in self.words}

    def step(self, grads):
        for code, params in self.params.items():
            velocities = self.velocities[code]
            for (i, name), g in grads.items():
                key = name if code == "velocity_shared" else (i, name)
                v = velocities.get(key, np.zeros_like(g))
                moved = steps(params[i, name], v, g, self.rate, self.momentum)[code]
                params[i, name], velocities[key], _ = moved

    def mistakes(self, key):
        wrong = {code: words for code, words in self.words.items() if code}
        return {code: Mistake(self.params[code][key], words, RULE) for code, words in wrong.items()}


@check("SGD", given=GIVEN)
def sgd(student, rng):
    shapes = {(i, name): shape for i in (0, 2) for name, shape in (("W", (3, 5)), ("b", (3,)))}
    for momentum in (0.9, 0.6, 0.0):
        kind = "" if momentum else " (momentum 0)"
        # two layers of the same shapes, so that velocities that they share are not refused
        layers = student.stand_ins(("Linear", 5, 3), ("ReLU",), ("Linear", 5, 3))
        start = {key: draw_dy(rng, shape) for key, shape in shapes.items()}
        for i in (0, 2):
            layers[i].set("params", {name: start[i, name] for name in ("W", "b")})
        rate = float(rng.uniform(0.05, 0.2))
        theirs = student.new("SGD", layers, learning_rate=rate, momentum=momentum)
        descents = Descents(start, rate, momentum)
        for _ in range(4):
            grads = {key: draw_dy(rng, shape) for key, shape in shapes.items()}
            for i in (0, 2):
                layers[i].set("grads", {name: grads[i, name] for name in ("W", "b")})
            theirs.call("step", keep=True)
            descents.step(grads)
            now = {i: (layers[i].get("params"), layers[i].get("grads")) for i in (0, 2)}
            for (i, name), g in grads.items():
                got, kept = entry(now[i][0], name, "params"), entry(now[i][1], name)
                right, mistakes = descents.params[""][i, name], descents.mistakes((i, name))
                yield compare(f"{name}{kind}", got, right, mistakes)
                words = "the step wrote to the gradients", "momentum * v + g makes a new array"
                yield claim(f"grads[{name!r}]", equal(kept, g), "mutated_input", *words)


training = training_check(
    model=("MLP", ([6, 8, 7, 4],)),
    make=network,
    loss=("SoftmaxCrossEntropy", nn.SoftmaxCrossEntropy),
    optimizer=("SGD", nn.SGD, {"learning_rate": 0.3, "momentum": 0.9}),
    inputs=(normal(6), labels(4)),
)
