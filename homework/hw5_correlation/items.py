"""What the grader asks in hw5_correlation, and what the library answers."""

import numpy as np

import nnscratch as nn
from nnscratch.grading.checks import check
from nnscratch.grading.draws import Large, fixed, normal
from nnscratch.grading.evidence import Mistake, Reference, claim
from nnscratch.grading.function_items import function_items
from nnscratch.grading.layer_items import layer_items
from nnscratch.grading.training_check import training_check

# Signals ----------------------------------------------------------------------------------------

FLIP = "correlation is x_{i+j}, convolution x_{i-j}"
SHORT = "the last place is missing", "the window moves n - k times and so has n - k + 1 places"


def one(layer, x, w, padding):
    """y of a layer of the library with one channel and that kernel."""
    ours = Reference(layer(1, 1, len(w), padding=padding, bias=False))
    ours.set("W", w[None, None])
    return ours.forward(x[None, None])[0, 0]


def of_correlation(x, w):
    return one(nn.Correlation1d, x, w, 0)


def of_convolution(x, w):
    return one(nn.Convolution1d, x, w, len(w) - 1)


def gradients(layer, x, w, dy, padding):
    """dx and dw of the library's layer with one channel."""
    ours = Reference(layer(1, 1, len(w), padding=padding, bias=False))
    ours.set("W", w[None, None])
    found = ours.backward(x[None, None], dy=dy[None, None])
    return found["dx"][0, 0], found["W"][0, 0]


def correlation_dx(dy, w):
    return gradients(nn.Correlation1d, np.zeros(len(dy) + len(w) - 1), w, dy, 0)[0]


def correlation_dw(x, dy):
    return gradients(nn.Correlation1d, x, np.zeros(len(x) - len(dy) + 1), dy, 0)[1]


def convolution_dx(dy, w):
    x = np.zeros(len(dy) - len(w) + 1)
    return gradients(nn.Convolution1d, x, w, dy, len(w) - 1)[0]


def convolution_dw(x, dy):
    w = np.zeros(len(dy) - len(x) + 1)
    return gradients(nn.Convolution1d, x, w, dy, len(w) - 1)[1]


def signal_mistakes(case):
    """The other of the two, at all the places that either is asked for."""
    a, w = case.inputs
    if len(a) > 1000:  # the long case, which is there for its time
        return {}
    flipped, y = "one of the two is read in the wrong direction", case.y
    found = {}
    for mode in ("valid", "same", "full"):
        both = [np.convolve(a, b, mode) for b in (w, w[::-1])]
        turned = [*both, *(np.flip(row) for row in both)]
        if len(both[0]) != len(y):
            words = f"y has {len(both[0])} places, expected {len(y)}"
            found[f"{mode}_range"] = Mistake(turned, words, "mind the first and the last window")
        elif any(np.allclose(row, y) for row in turned):
            others = [row for row in turned if not np.allclose(row, y)]
            found["flipped_kernel"] = Mistake(others, flipped, FLIP)
    found["place_missing"] = Mistake([y[:-1], y[1:]], *SHORT)
    return found


def signals(name, right, sizes, large, given=()):
    several = [tuple(fixed(n) for n in pair) for pair in sizes]
    cases = {"": several, "long": [tuple(fixed(n) for n in large)]}
    means = {"correlate": of_correlation, "convolve": of_convolution}
    return function_items(
        name, right, cases, mistakes=signal_mistakes, given={n: means[n] for n in given}
    ).value()


BOTH = ("correlate", "convolve")
correlate = signals("correlate", of_correlation, [(9, 4), (8, 3), (5, 5)], (20_000, 50))
convolve = signals("convolve", of_convolution, [(9, 4), (7, 3), (3, 6)], (20_000, 50))
adjoints = (
    signals("correlation_dx", correlation_dx, [(9, 4), (7, 3)], (20_000, 50), BOTH),
    signals("correlation_dw", correlation_dw, [(9, 4), (11, 3)], (20_049, 20_000), BOTH),
    signals("convolution_dx", convolution_dx, [(9, 4), (11, 3)], (20_049, 50), BOTH),
    signals("convolution_dw", convolution_dw, [(6, 9), (4, 11)], (20_000, 20_049), BOTH),
)


# Adjoint or not ---------------------------------------------------------------------------------

SIZES = 5, 7
A = np.random.default_rng(0).normal(size=SIZES[::-1])
w3 = np.array([0.5, -1.0, 2.0])
RIGHT = {
    "product": (lambda x: A @ x, lambda y: A.T @ y, "f(x) = Ax with g(y) = A'y, which is adjoint"),
    "large": (lambda x: 1e9 * A @ x, lambda y: 1e9 * A.T @ y, "the same times 10⁹"),
    "small": (lambda x: 1e-12 * A @ x, lambda y: 1e-12 * A.T @ y, "the same times 10⁻¹²"),
    "full": (
        lambda x: np.convolve(x, w3),
        lambda y: np.correlate(y, w3),
        "convolution with w and correlation with w, which are adjoint",
    ),
}
WRONG = {
    "flipped": (
        lambda x: np.convolve(x, w3),
        lambda y: np.convolve(y, w3, "valid"),
        "convolution with w and once more convolution with w",
    ),
    "twice": (lambda x: A @ x, lambda y: 2 * A.T @ y, "f(x) = Ax with g(y) = 2A'y"),
    "sign": (lambda x: A @ x, lambda y: -A.T @ y, "f(x) = Ax with g(y) = -A'y"),
    "percent": (lambda x: A @ x, lambda y: 1.01 * A.T @ y, "f(x) = Ax with g(y) = 1.01 A'y"),
    "small and wrong": (
        lambda x: 1e-12 * A @ x,
        lambda y: 2e-12 * A.T @ y,
        "f(x) = 10⁻¹² Ax with g(y) = 2 · 10⁻¹² A'y",
    ),
    "sums": (
        lambda x: A @ x,
        lambda y: np.roll(A, 2, axis=0).T @ y,
        "f(x) = Ax with the transpose of another matrix that has the same sums",
    ),
    "nan": (lambda x: A @ x, lambda y: np.nan * A.T @ y, "g(y) = NaN"),
    "shape of f": (lambda x: (A @ x)[None], lambda y: A.T @ y, "an f(x) with an axis too many"),
    "shape of g": (lambda x: A @ x, lambda y: (A.T @ y)[:, None], "a g(y) with an axis too many"),
}
SHAPES = {"shape of f", "shape of g"}
# Which verdicts a mistake gets wrong: at least these, at most those
VERDICTS = {
    "tolerance_too_loose": (
        {"percent"},
        {"percent"},
        "the tolerance is too loose: 1e-9 · ‖f(x)‖ · ‖y‖ is wide enough for rounding",
    ),
    "absolute_tolerance": (
        set(),
        {"large", "small and wrong"},
        "the tolerance does not grow and shrink with f: multiply it by ‖f(x)‖ · ‖y‖",
    ),
    "sign_ignored": ({"sign"}, {"sign"}, "the sign is ignored: take abs of the difference, last"),
    "uniform_vectors": (
        {"sums"},
        {"sums", "flipped"},
        "x or y is the same everywhere, which sees sums alone: draw both at random",
    ),
    "nan_accepted": (
        {"nan"},
        {"nan"},
        "NaN is accepted, as NaN > tolerance is False: ask what is right, difference <= tolerance",
    ),
    "shape_ignored": (set(), SHAPES, "the shapes are not compared: compare them first"),
}


@check("is_adjoint")
def is_adjoint(student, rng):
    n, m = SIZES
    misjudged, cases = set(), RIGHT | WRONG
    for name in rng.permutation(list(cases)):
        f, g = (student.callback(sized(h, k)) for h, k in zip(cases[name], (n, m), strict=False))
        verdict = student.function("is_adjoint", f, g, n, m)
        if not isinstance(verdict, (bool, np.bool_)):
            kind = type(verdict).__name__
            yield claim("is_adjoint", False, "type", f"it returned a {kind}", "True or False")
            return
        if bool(verdict) != (name in RIGHT):
            misjudged.add(str(name))
    code, words = why(misjudged)
    listed = [
        f"{'rejects' if name in RIGHT else 'accepts'} {words}"
        for name, (_, _, words) in cases.items()
        if name in misjudged
    ]
    yield claim("is_adjoint", not misjudged, code, "\n".join([*listed, words]))


def sized(function, size):
    """The function, which says what it takes."""

    def ask(x):
        if np.shape(x) != (size,):
            raise ValueError(f"takes an array of shape ({size},), received {np.shape(x)}")
        return function(np.asarray(x, np.float64))

    return ask


def why(misjudged):
    """(code, words) for a set of wrong verdicts."""
    if misjudged == set(WRONG):
        return "accepts_everything", "nothing is rejected: compare, and return the outcome"
    if misjudged == set(RIGHT):
        return "rejects_everything", "nothing is accepted: print both sides of one case"
    for code, (least, most, words) in VERDICTS.items():
        if least <= misjudged <= most:
            return code, words
    return "misjudges", "some verdicts are wrong: print both sides of these cases"


# Layers -----------------------------------------------------------------------------------------


def layer_mistakes(kind, args):
    """What a layer of these arguments gives by a mistake in its windows."""
    n_in, n_out, kernel, stride, padding = *args, *(1, 0)[len(args) - 3 :]

    def layer(case, W, stride=stride, padding=padding):
        ours = Reference(kind(n_in, n_out, kernel, stride, padding))
        ours.set("W", W)
        ours.set("b", case.params["b"])
        return ours

    def mistakes(case):
        if case.x.shape[1] != n_in:  # the large case
            return {}
        W, b = case.params["W"], case.params["b"]
        axes = tuple(range(2, W.ndim))
        flipped = layer(case, np.flip(W, axes))
        found = {
            "flipped_kernel": Mistake(
                flipped.forward(case.x), "the kernel is flipped", "x_{i+j} goes with w_j"
            ),
            "bias_missing": Mistake(
                case.y - b.reshape(-1, *[1] * len(axes)), "the bias is left out", "b_o is added"
            ),
            "one_channel": Mistake(
                [layer(case, W * (np.arange(n_in) == c)[:, *[None] * len(axes)]).forward(case.x)
                 for c in (0, n_in - 1)],
                "only one channel of x counts", "sum over the channels of x",
            ),
        }  # fmt: skip
        for axis in axes:
            short = found.get("place_missing", Mistake([])).value
            cut = np.take(case.y, range(case.y.shape[axis] - 1), axis)
            found["place_missing"] = Mistake([*short, cut], *SHORT)
        if stride > 1:
            words = "windows lie one step apart", "the i-th begins at stride · i"
            wide = layer(case, W, stride=1).forward(case.x)
            cut = (..., *(slice(n) for n in case.y.shape[2:]))
            found["stride_forgotten"] = Mistake([wide, wide[cut]], *words)
        if padding:
            words = "zeros are put on one side alone", "before x and behind it"
            sides = [(2 * padding, 0), (0, 2 * padding), (padding, 0), (0, padding)]
            none = layer(case, W, padding=0)
            ends = [np.pad(case.x, [(0, 0)] * 2 + [side] * len(axes)) for side in sides]
            found["padded_on_one_side"] = Mistake([none.forward(x) for x in ends], *words)
        return {"y": found} | ({} if case.dy is None else of_gradients(case, axes, flipped))

    def of_gradients(case, axes, flipped):
        right = layer(case, case.params["W"]).backward(case.x, dy=case.dy)
        words = "db is summed over samples or places alone", "b_o acts on all: sum over both"
        of_b = [case.dy.sum(axis=0), case.dy.sum(axis=axes)]
        turned = "in and out are exchanged", "W is (out, in, ...), and so is dW"
        mean = "dx is averaged over the channels of y", "x acts on all of them: add up"
        of_x = {
            "flipped_kernel": flipped.backward(case.x, dy=case.dy)["dx"],
            "averaged": Mistake(right["dx"] / n_out, *mean),
        }
        if padding:
            ends = "dx is cut at one end alone", "padding zeros lay before x and behind it"
            padded = np.pad(case.x, [(0, 0)] * 2 + [(padding, padding)] * len(axes))
            of_all = layer(case, case.params["W"], padding=0).backward(padded, dy=case.dy)["dx"]
            cuts = [(slice(size), slice(-size, None)) for size in case.x.shape[2:]]
            one_end = [of_all[(..., *(cut[end] for cut in cuts))] for end in (0, 1)]
            of_x["cropped_at_one_end"] = Mistake(one_end, *ends)
        return {
            "dx": of_x,
            "W": {"transposed": Mistake(right["W"].swapaxes(0, 1), *turned)},
            "b": {"sum_missing": Mistake(of_b, *words)},
        }

    return mistakes


def layers(name, kind, args, size, large=None, batches=(4, 4, 7)):
    return layer_items(
        name,
        kind,
        args=args,
        inputs=normal(args[0], *size),
        large=large,
        batches=batches,
        mistakes=layer_mistakes(kind, args),
    )


# of many channels, so that one forward pass for each element of a kernel takes its time
def large_1d(*stride_and_padding):
    return Large(normal(300, 80), args=(300, 3, 7, *stride_and_padding))


def large_2d(*stride_and_padding):
    return Large(normal(150, 5, 9), args=(150, 5, (2, 6), *stride_and_padding))


plain = layers("Correlation1d", nn.Correlation1d, (3, 5, 6), (13,), large_1d())
strided = layers("Correlation1d", nn.Correlation1d, (3, 5, 6, 3), (29,), large_1d(3))
padded = layers("Correlation1d", nn.Correlation1d, (3, 5, 6, 2, 3), (15,), large_1d(2, 3))
forward_1d = plain.value(), strided.value(), padded.value()
backward_1d = plain.dx(), strided.dx(), padded.dx()
gradient_1d = plain.grads("W", "b"), padded.grads("W", "b")
image = layers("Correlation2d", nn.Correlation2d, (3, 5, (2, 6)), (7, 9), large_2d(), (3, 3, 4))
padded_image = layers(
    "Correlation2d", nn.Correlation2d, (3, 5, (2, 6), 2, 3), (7, 9), large_2d(2, 3), (3, 3, 4)
)
forward_2d = image.value(), padded_image.value()
backward_2d = image.dx(), padded_image.dx()
gradient_2d = image.grads("W", "b"), padded_image.grads("W", "b")


def two_layers():
    return nn.Sequential(nn.Correlation1d(3, 5, 4, 2, 1), nn.Correlation1d(5, 4, 3))


def of_images():
    return nn.Sequential(nn.Correlation2d(3, 5, (4, 3), 2, 1), nn.Correlation2d(5, 4, (2, 3)))


def trained(model, make, x, target):
    return training_check(model, make, nn.MSELoss, (nn.SGD, {"learning_rate": 0.02}), (x, target))


training = (
    trained(
        [("Correlation1d", (3, 5, 4, 2, 1)), ("Correlation1d", (5, 4, 3))],
        two_layers, normal(3, 13), normal(4, 4),
    ),
    trained(
        [("Correlation2d", (3, 5, (4, 3), 2, 1)), ("Correlation2d", (5, 4, (2, 3)))],
        of_images, normal(3, 8, 11), normal(4, 3, 4),
    ),
)  # fmt: skip
