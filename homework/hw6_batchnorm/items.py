"""What the grader asks in hw6_batchnorm, and what the library answers."""

from contextlib import suppress

import numpy as np

import nnscratch as nn
from nnscratch.grading.checks import check
from nnscratch.grading.draws import Large, fixed, labels, normal
from nnscratch.grading.evidence import Mistake, Reference, claim, compare, draw_dy, equal
from nnscratch.grading.function_items import function_items
from nnscratch.grading.layer_items import layer_items
from nnscratch.grading.student import Fault, entry
from nnscratch.grading.training_check import training_check

MOMENTUM, EPSILON = 0.3, 0.05  # an epsilon that is large enough to be missed


def off_centre(features, shift=3.0, scale=1.0):
    """Features of other means and spreads, so that nothing is normal already."""
    spreads = scale * np.linspace(0.5, 2.0, features)

    def draw(rng, batch):
        return shift * draw_dy(rng, (features,)) + spreads * rng.normal(size=(batch, features))

    return draw


# Mean and variance ------------------------------------------------------------------------------


def mean_and_variance(x):
    return x.mean(axis=0), ((x - x.mean(axis=0)) ** 2).mean(axis=0)


def shortcut(x):
    """The variance as a difference of two large numbers."""
    with np.errstate(all="ignore"):
        return (x**2).mean(axis=0) - x.mean(axis=0) ** 2


DIGITS_LOST = (
    "mean(x²) - mean² is the difference of two numbers that are nearly equal: its digits are lost",
    "subtract the mean first, and take the mean of the squares",
)


@check("moments")
def moments(student, rng):
    for batch in (4, 5, 7):
        x = off_centre(3)(rng, batch)
        mean, var = student.function("moments", x, unpack=2)
        right, right_var = mean_and_variance(x)
        given, n = {"array": "value", "inputs": (x,)}, batch
        over_all = "one number for the whole array", "axis=0: a mean for each feature"
        per_sample = "these are the samples' means, not the features'", "axis=0 counts the samples"
        root = "this is the standard deviation", "the variance is not rooted"
        unbiased = "the sum is divided by N - 1", "the biased variance is divided by N"
        total = "this is the sum of the squares", "the variance is their mean"
        not_squared = "this is the mean of |x - mean|", "the mean of its square"
        not_centred = "the mean is not subtracted before squaring", "(x - mean)²"
        mistakes = {
            "over_all": Mistake([x.mean(), np.full(3, x.mean())], *over_all),
            "per_sample": Mistake([x.mean(axis=1), x.mean(axis=1, keepdims=True)], *per_sample),
        }
        yield compare("mean", mean, right, mistakes, **given)
        mistakes = {
            "over_all": Mistake([x.var(), np.full(3, x.var())], *over_all),
            "per_sample": Mistake([x.var(axis=1), x.var(axis=1, keepdims=True)], *per_sample),
            "deviation_for_variance": Mistake(np.sqrt(right_var), *root),
            "unbiased_variance": Mistake(right_var * n / (n - 1), *unbiased),
            "sum_of_squares": Mistake(right_var * n, *total),
            "not_centred": Mistake((x**2).mean(axis=0), *not_centred),
            "not_squared": Mistake(np.abs(x - right).mean(axis=0), *not_squared),
        }
        yield compare("var", var, right_var, mistakes, **given)
    far = 1e6 + off_centre(3)(rng, 5)
    _, var = student.function("moments", far, unpack=2)
    lost = {"digits_lost": Mistake(shortcut(far), *DIGITS_LOST)}
    yield compare("var (mean near 10⁶)", var, mean_and_variance(far)[1], lost)


GIVEN = {"moments": mean_and_variance}

# Batch normalization ----------------------------------------------------------------------------


RULE = "y = gamma · (x - mean) / √(var + epsilon) + beta"


def normalized_otherwise(x, mean, var, gamma, beta):
    """What y would be by a mistake in its formula, whichever mean and variance it takes."""
    deviation = np.sqrt(var + EPSILON)
    inside = "epsilon is added to the deviation", "it is added to the variance, inside the root"
    other = "epsilon is left out, or not the one of __init__", "use self.epsilon"
    return {
        "deviation_missing": Mistake(
            gamma * (x - mean) + beta, "the division by the deviation is left out", RULE
        ),
        "variance_for_deviation": Mistake(
            gamma * (x - mean) / deviation**2 + beta, "the root is missing", RULE
        ),
        "epsilon_outside": Mistake(gamma * (x - mean) / (np.sqrt(var) + EPSILON) + beta, *inside),
        "epsilon_missing": Mistake(
            [gamma * (x - mean) / np.sqrt(var + e) + beta for e in (0, 1e-5)], *other
        ),
        "mean_missing": Mistake(gamma * x / deviation + beta, "the mean is not subtracted", RULE),
        "scale_missing": Mistake((x - mean) / deviation + beta, *NO_GAMMA),
        "shift_missing": Mistake(gamma * (x - mean) / deviation, "beta is left out", RULE),
        "parameters_missing": Mistake(
            (x - mean) / deviation, "gamma and beta are left out, or are those of __init__", RULE
        ),
        "parameters_exchanged": Mistake(
            beta * (x - mean) / deviation + gamma, "gamma and beta have changed places", RULE
        ),
    }


NO_GAMMA = "gamma is left out, or is that of __init__", 'self.params["gamma"], read in every call'


def batch_norm_mistakes(case):
    x, gamma, beta = case.x, case.params["gamma"], case.params["beta"]
    (mean, var), n = mean_and_variance(x), len(x)
    x_hat, dy = (x - mean) / np.sqrt(var + EPSILON), case.dy
    unbiased = gamma * (x - mean) / np.sqrt(var * n / (n - 1) + EPSILON) + beta
    kept = (
        "y is normalized by the unbiased variance",
        "that is kept in running_var only; the batch is divided by its biased one",
    )
    y = normalized_otherwise(x, mean, var, gamma, beta)
    del y["parameters_missing"]  # in training that is what stale_params gives
    y["unbiased_variance"] = Mistake(unbiased, *kept)
    if dy is None:
        return {"y": y}
    g, deviation = gamma * dy, np.sqrt(var + EPSILON)
    own = {
        "not_normalized": Mistake(
            [(dy * x).sum(0), (dy * (x - mean)).sum(0)],
            "dy meets x or x - mean, not x_hat",
            "y = gamma · x_hat + beta, so dgamma = Σ dy ∘ x_hat",
        ),
        "times_gamma": Mistake(
            gamma * (dy * x_hat).sum(0), "gamma stands in its own gradient", "Σ dy ∘ x_hat"
        ),
        "of_y": Mistake((dy * case.y).sum(0), "dy meets y, not x_hat", "Σ dy ∘ x_hat"),
    }
    sums = (g - g.sum(0) - x_hat * (g * x_hat).sum(0)) / deviation
    added = (g + g.mean(0) + x_hat * (g * x_hat).mean(0)) / deviation
    swapped = (g - x_hat * g.mean(0) - (g * x_hat).mean(0)) / deviation
    without = (g - g.mean(0) - (g * x_hat).mean(0)) / deviation
    squared = (g - g.mean(0) - x_hat * (g * x_hat).mean(0)) / deviation**2
    rule = "dx = (g - mean(g) - x_hat · mean(g ∘ x_hat)) / σ with g = gamma · dy"
    dx = {
        "sums_for_means": Mistake(sums, "the two means are sums", rule),
        "sums_added": Mistake(added, "the two means are added", rule),
        "gamma_in_parts": Mistake(
            [
                (g - mean_of.mean(0) - x_hat * (second * x_hat).mean(0)) / deviation
                for mean_of, second in ((dy, g), (g, dy), (dy, dy))
            ],
            "gamma is missing in one of the means",
            "dx_hat = gamma · dy, and dx_hat in both",
        ),
        "divided_twice": Mistake(
            [
                (g - g.mean(0) / a - x_hat * (g * x_hat).mean(0) / b) / deviation
                for a, b in ((n, 1), (1, n), (n, n))
            ],
            "a mean is divided by N once more",
            rule,
        ),
        "means_exchanged": Mistake(swapped, "the two means are exchanged", rule),
        "direction_missing": Mistake(without, "the second mean is not multiplied by x_hat", rule),
        "variance_for_deviation": Mistake(squared, "the root is missing", rule),
        "scale_missing": Mistake(
            (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0)) / deviation, *NO_GAMMA
        ),
    }
    return {"y": y, "gamma": own, "dx": dx}


normalization = layer_items(
    "BatchNorm",
    nn.BatchNorm,
    args=(5, MOMENTUM, EPSILON),
    inputs=off_centre(5),
    # moved sample by sample: twenty thousand forward passes over all of them
    large=Large(off_centre(3), args=(3, MOMENTUM, EPSILON), batch=20_000),
    mistakes=batch_norm_mistakes,
    given=GIVEN,
)
batchnorm_forward = normalization.value()
dgamma, dbeta = normalization.grads("gamma"), normalization.grads("beta")
batchnorm_dx = normalization.dx()

# How the running statistics may move: (old, newest, weight of the newest, N, step) -> new
FORMS = {
    "weights_exchanged": (
        lambda old, new, w, n, k: w * old + (1 - w) * new,
        "the weights are exchanged: the newest batch has momentum",
    ),
    "replaced": (lambda old, new, w, n, k: new, "the old statistics are forgotten"),
    "not_updated": (lambda old, new, w, n, k: old, "they stay as they were"),
    "old_dropped": (lambda old, new, w, n, k: w * new, "the old statistics are left out"),
    "added": (lambda old, new, w, n, k: old + w * new, "the old ones are not multiplied"),
    "averaged": (
        lambda old, new, w, n, k: old + (new - old) / (k + 1),
        "all batches have equal weights",
    ),
}
OF_VARIANCES = {
    "biased_variance": (
        lambda old, new, w, n, k: (1 - w) * old + w * new * (n - 1) / n,
        "the biased variance is kept",
    ),
    "deviation_for_variance": (
        lambda old, new, w, n, k: (1 - w) * old + w * np.sqrt(new),
        "the standard deviation is kept",
    ),
    "factor_inverted": (
        lambda old, new, w, n, k: (1 - w) * old + w * new * ((n - 1) / n) ** 2,
        "the factor is upside down: the unbiased variance is N / (N - 1) times the biased",
    ),
}
MOVES = (
    "running = (1 - momentum) · running + momentum · newest, and the newest variance is "
    "N / (N - 1) times the one that y is normalized by"
)


def right_form(old, new, w, n, k):
    return (1 - w) * old + w * new


@check("BatchNorm", given=GIVEN)
def running_statistics(student, rng):
    theirs = student.new("BatchNorm", 3, MOMENTUM, EPSILON)
    words = {"running_mean": FORMS, "running_var": FORMS | OF_VARIANCES}
    forms = {code: form for code, (form, _) in words["running_var"].items()} | {"": right_form}
    now = {"running_mean": dict.fromkeys(forms, np.zeros(3)),
           "running_var": dict.fromkeys(forms, np.ones(3))}  # fmt: skip
    for step, n in enumerate((4, 7, 5)):
        x = off_centre(3)(rng, n)
        theirs.call("forward", x, keep=True, writes=True)
        mean, var = mean_and_variance(x)
        newest = {"running_mean": mean, "running_var": var * n / (n - 1)}
        buffers = theirs.get("buffers")
        for name, found in now.items():
            for code, form in forms.items():
                found[code] = form(found[code], newest[name], MOMENTUM, n, step)
            mistakes = {c: Mistake(found[c], text, MOVES) for c, (_, text) in words[name].items()}
            yield compare(name, entry(buffers, name, "buffers"), found[""], mistakes, array="value")
    with suppress(Fault):  # that is charged elsewhere
        theirs.call("backward", draw_dy(rng, (5, 3)), keep=True, writes=True)
    after = theirs.get("buffers")
    for name in now:
        same = equal(entry(after, name, "buffers"), entry(buffers, name, "buffers"))
        told = "backward moves the running statistics", "only forward does, in training"
        yield claim(f"{name} after backward", same, "moved_by_backward", *told)


# Evaluation -------------------------------------------------------------------------------------


def in_evaluation(student, rng):
    """Their layer and the library's with the same numbers, both in evaluation."""
    layer = nn.BatchNorm(5, MOMENTUM, EPSILON).astype(np.float64).eval()
    for name in ("gamma", "beta"):
        layer.params[name] = rng.normal(size=5)
    layer.buffers["running_mean"] = draw_dy(rng, (5,))
    layer.buffers["running_var"] = rng.uniform(0.5, 3.0, 5)
    theirs = student.new("BatchNorm", 5, MOMENTUM, EPSILON)
    theirs.set("params", {name: np.array(a) for name, a in layer.params.items()})
    theirs.set("buffers", {name: np.array(a) for name, a in layer.buffers.items()})
    theirs.call("eval")
    return theirs, layer


@check("BatchNorm", given=GIVEN)
def evaluation(student, rng):
    for n in (4, 1, 7):
        theirs, layer = in_evaluation(student, rng)
        gamma, beta = layer.params["gamma"], layer.params["beta"]
        mean, var = layer.buffers["running_mean"], layer.buffers["running_var"]
        x = off_centre(5)(rng, n)
        of_batch, of_var = mean_and_variance(x)
        own = "in evaluation too mean and var are those of the batch", "use the running ones"
        mistakes = normalized_otherwise(x, mean, var, gamma, beta)
        mistakes["batch_statistics"] = Mistake(
            gamma * (x - of_batch) / np.sqrt(of_var + EPSILON) + beta, *own
        )
        got = theirs.call("forward", x, writes=True)  # writing is charged in training
        yield Reference(layer).value(got, x, hypotheses=mistakes)
        buffers = theirs.get("buffers")
        for name, value in layer.buffers.items():
            same = equal(entry(buffers, name, "buffers"), value)
            told = "forward moves it in evaluation", "only training does"
            yield claim(f"{name} in evaluation", same, "moved_in_evaluation", *told)


@check("BatchNorm", given=GIVEN)
def evaluation_backward(student, rng):
    for n in (4, 1, 7):
        theirs, layer = in_evaluation(student, rng)
        ours = Reference(layer)
        x, dy = off_centre(5)(rng, n), draw_dy(rng, (n, 5))
        with suppress(Fault):
            theirs.call("forward", x, keep=True, writes=True)
        got = {"dx": theirs.call("backward", dy)}
        mean, var = layer.buffers["running_mean"], layer.buffers["running_var"]
        of_batch, of_var = mean_and_variance(x)
        g = layer.params["gamma"] * dy

        def through(mean, var, g=g, x=x):
            x_hat = (x - mean) / np.sqrt(var + EPSILON)
            return (g - g.mean(0) - x_hat * (g * x_hat).mean(0)) / np.sqrt(var + EPSILON)

        constants = (
            "dx goes through mean and variance, which are constants in evaluation",
            "remember in forward which it was; then dx = gamma · dy / σ",
        )
        batch = (
            "mean and variance are those of the batch",
            "in evaluation they are the running ones",
        )
        root = "the root is missing", "dx = gamma · dy / √(running_var + epsilon)"
        mistakes = {
            "through_constants": Mistake(through(mean, var), *constants),
            "batch_statistics": Mistake(
                [g / np.sqrt(of_var + EPSILON), through(of_batch, of_var)], *batch
            ),
            "deviation_missing": Mistake(g, "the division by σ is left out", root[1]),
            "variance_for_deviation": Mistake(g / (var + EPSILON), *root),
            "scale_missing": Mistake(dy / np.sqrt(var + EPSILON), *NO_GAMMA),
        }
        yield from ours.gradients(got, x, dy=dy, hypotheses={"dx": mistakes})


# Images -----------------------------------------------------------------------------------------


def rows_of(images):
    return images.transpose(0, 2, 3, 1).reshape(-1, images.shape[1])


def images_of(rows, shape):
    n, c, h, w = shape
    return rows.reshape(n, h, w, c).transpose(0, 3, 1, 2)


KEEPS = "reshape keeps the order of the numbers", "first move the axis of the channels"


def rows_mistakes(case):
    [images] = case.inputs
    c = images.shape[1]
    turned = "height and width are exchanged", "the axes in their order: 0, 2, 3, 1"
    last = "the samples lie innermost", "row after row of the first image comes first"
    return {
        "reshape_for_transpose": Mistake(images.reshape(-1, c), *KEEPS),
        "axes_exchanged": Mistake(images.transpose(0, 3, 2, 1).reshape(-1, c), *turned),
        "samples_last": Mistake(images.transpose(2, 3, 0, 1).reshape(-1, c), *last),
    }


def images_mistakes(case):
    rows, (n, c, h, w) = case.inputs
    turned = "height and width are exchanged", "reshape to (batch, height, width, channels) first"
    exchanged = rows.reshape(n, w, h, c).transpose(0, 3, 2, 1)
    return {
        "reshape_for_transpose": Mistake(rows.reshape(n, c, h, w), *KEEPS),
        "axes_exchanged": Mistake(exchanged, *turned),
    }


rows_of_images = function_items(
    "rows_of_images",
    rows_of,
    {"": [fixed(4, 3, 5, 6), fixed(3, 4, 6, 5)]},
    mistakes=rows_mistakes,
).value()
images_of_rows = function_items(
    "images_of_rows",
    images_of,
    {
        "": [
            (fixed(120, 3), lambda rng, n: (4, 3, 5, 6)),
            (fixed(90, 4), lambda rng, n: (3, 4, 6, 5)),
        ]
    },
    mistakes=images_mistakes,
).value()


# Layer normalization ----------------------------------------------------------------------------


def layer_norm_mistakes(case):
    x, gamma, beta, dy = case.x, case.params["gamma"], case.params["beta"], case.dy

    def normal_over(axis):
        centred = x - x.mean(axis, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis, keepdims=True) + EPSILON)
        return centred / deviation, deviation

    x_hat, deviation = normal_over(1)
    batch = "mean and var are those of the features over the batch", "axis=1, keepdims=True"
    y = {
        "over_the_batch": Mistake(gamma * normal_over(0)[0] + beta, *batch),
        "unbiased_variance": Mistake(
            gamma * (x - x.mean(1, keepdims=True))
            / np.sqrt(x.var(1, keepdims=True, ddof=1) + EPSILON) + beta,
            "the sum is divided by F - 1", "the biased variance is divided by F",
        ),
        "scale_missing": Mistake(x_hat + beta, *NO_GAMMA),
    }  # fmt: skip
    if dy is None:
        return {"y": y}
    g = gamma * dy

    def backward(g, axis):
        along = (g * x_hat).mean(axis, keepdims=True)
        return (g - g.mean(axis, keepdims=True) - x_hat * along) / deviation

    outside = (
        "gamma is multiplied at the end, as if it were one number for the sample",
        "here it differs within what is summed: g = gamma ∘ dy first, then the means",
    )
    dx = {
        "gamma_outside": Mistake(gamma * backward(dy, 1), *outside),
        "over_the_batch": Mistake(backward(g, 0), "the means run over the batch", "axis=1"),
        "scale_missing": Mistake(backward(dy, 1), *NO_GAMMA),
    }
    return {"y": y, "dx": dx}


of_layer_norm = layer_items(
    "LayerNorm",
    lambda features, epsilon: nn.LayerNorm(features, epsilon=epsilon),
    args=(5, EPSILON),
    inputs=off_centre(5),
    large=Large(normal(50_000), args=(50_000, EPSILON)),
    mistakes=layer_norm_mistakes,
)
layernorm_forward = of_layer_norm.value()
layernorm_backward = of_layer_norm.dx(), of_layer_norm.grads("gamma", "beta")


# The network ------------------------------------------------------------------------------------

SIZES = [5, 7, 6, 3]


def described(params):
    """What a layer is by its parameters."""
    if not isinstance(params, dict):
        return "no layer"
    kinds = {("W", "b"): "Linear", ("beta", "gamma"): "BatchNorm", (): "no parameters"}
    kind = kinds.get(tuple(sorted(map(str, params))), "other parameters")
    main = params.get("W", params.get("gamma"))
    return f"{kind} {main.shape}" if isinstance(main, np.ndarray) else kind


@check("Network")
def network(student, rng):
    theirs = student.new("Network", SIZES)
    listed, found = theirs.get("layers", keep=True), []
    with suppress(Fault):  # past the end
        for i in range(3 * len(SIZES)):
            found.append(listed.item(i, keep=True))
    got = [described(layer.get("params")) for layer in found]
    wanted = ["Linear (7, 5)", "BatchNorm (7,)", "no parameters"]
    wanted += ["Linear (6, 7)", "BatchNorm (6,)", "no parameters", "Linear (3, 6)"]
    told = f"layers of Network({SIZES}) are {', '.join(got) or 'none'}"
    yield claim("layers", got == wanted, "layers_missing", told, f"expected {', '.join(wanted)}")
    for mode, training in (("", True), ("eval", False), ("train", True), ("eval", False)):
        if mode:
            theirs.call(mode)
        modes = [layer.get("training") for layer in [theirs, *found]]
        right = all(isinstance(m, bool) and m == training for m in modes)
        after = f"after {mode}()" if mode else "when it is new"
        told = f"{after} the network and its layers have training = {modes}"
        remedy = "call it of every layer, and super() for the network itself"
        yield claim("modes", right, "mode_not_passed_on", told, remedy)
    drawn = [weights(student.new("Network", [5, 4, 4, 4, 3], rng=seed)) for seed in (7, 7, 8)]
    told = "rng=7 gives other weights each time, or the same as rng=8"
    good = equal(drawn[0][1], drawn[1][1]) and not equal(drawn[0][1], drawn[2][1])
    yield claim("rng", good, "not_drawn_from_rng", told, "pass rng on to each Linear")
    told = "two Linear layers of the same shape start with the same weights"
    remedy = "make one generator of rng, np.random.default_rng(rng), and pass that on to all"
    yield claim("weights", not equal(drawn[0][0], drawn[0][1]), "same_weights", told, remedy)


def weights(network):
    """The weights of the two Linear layers of one shape."""
    layers = network.get("layers", keep=True)
    return [entry(layers.item(i, keep=True).get("params"), "W", "params") for i in (3, 6)]


def library(sizes):
    layers = []
    for i in range(len(sizes) - 1):
        layers += [nn.BatchNorm(sizes[i]), nn.ReLU()] * (i > 0)
        layers.append(nn.Linear(sizes[i], sizes[i + 1], rng=0))
    return nn.Sequential(*layers)


training = training_check(
    model=("Network", ([6, 8, 7, 4],)),
    make=library,
    loss=("SoftmaxCrossEntropy", nn.SoftmaxCrossEntropy),
    optimizer=("SGD", nn.SGD, {"learning_rate": 0.3}),
    inputs=(normal(6), labels(4)),
    remedy="a Linear for each pair of neighbours in sizes, a BatchNorm between each two",
)
