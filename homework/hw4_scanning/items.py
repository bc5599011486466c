"""What the grader asks in hw4_scanning, and what the library answers."""

from itertools import pairwise

import numpy as np

import nnscratch as nn
from nnscratch.grading.draws import Large, away, fixed, normal
from nnscratch.grading.evidence import Mistake, Reference, draw_dy
from nnscratch.grading.function_items import function_items
from nnscratch.grading.layer_items import layer_items
from nnscratch.grading.training_check import training_check

# Rules ------------------------------------------------------------------------------------------


def product_backward(W, x, dz):
    found = Reference(nn.MatMul()).backward(W, x[:, None], dy=dz[:, None])
    return found["dx[0]"], found["dx[1]"][:, 0]


def sum_backward(dz):
    found = Reference(nn.Add()).backward(dz, dz, dy=dz)
    return found["dx[0]"], found["dx[1]"]


def chain_backward(J, dz):
    return product_backward(J, np.zeros(J.shape[1]), dz)[1]


def branches_backward(Js, dzs):
    return sum(map(chain_backward, Js, dzs))


def hadamard_backward(x, y, dz):
    found = Reference(nn.Mul()).backward(x, y, dy=dz)
    return found["dx[0]"], found["dx[1]"]


def map_backward(slopes, dz):
    return hadamard_backward(np.zeros(slopes.shape), slopes, dz)[0]


def several(*shapes):
    return lambda rng, batch: [draw_dy(rng, shape) for shape in shapes]


def product_mistakes(case):
    W, x, dz = case.inputs
    words = "the derivative is written as a row, so it is transposed", "dW has the shape of W"
    by_row = "this is W dz or dz times a row", "dx = W' dz"
    square = W.shape[0] == W.shape[1]
    return {
        "dW": {
            "transposed": Mistake(np.outer(x, dz), *words),
            "dy_ignored": np.outer(np.ones(len(dz)), x),
            "other_derivative": Mistake([W * dz[:, None]], "W stands where x belongs", "dz x'"),
        },
        "dx": {
            "dy_ignored": W.sum(axis=0),
            "transpose_missing": Mistake(W @ dz if square else [], *by_row),
        },
    }


def other_operand(case):
    x, y, dz = case.inputs
    words = "each gradient holds the operand itself", "it holds the other one"
    ignored = "dz is left out", "multiply by it: it comes from above"
    through = "dz is passed through", "the slope of z = x ∘ y in x is y"
    return {
        name: {
            "wrong_operand": Mistake(dz * own, *words),
            "dy_ignored": Mistake(other, *ignored),
            "missing_derivative": Mistake(dz, *through),
        }
        for name, own, other in (("dx", x, y), ("dy", y, x))
    }


def branch_mistakes(case):
    Js, dzs = case.inputs
    parts = [J.T @ dz for J, dz in zip(Js, dzs, strict=True)]
    words = "one branch counts alone", "x acts on L through all of them: add up"
    mean = "the branches are averaged", "x acts on L through all of them: add up"
    return {
        "not_accumulated": Mistake(parts, *words),
        "averaged": Mistake(case.y / len(parts), *mean),
    }


def rule(name, right, *cases, names=(), **options):
    return function_items(name, right, {"": cases}, names=names, **options).value()


rules = (
    rule(
        "product_backward",
        product_backward,
        (fixed(3, 5), fixed(5), fixed(3)),
        (fixed(7, 4), fixed(4), fixed(7)),
        (fixed(400, 3000), fixed(3000), fixed(400)),
        names=("dW", "dx"),
        mistakes=product_mistakes,
    ),
    rule("sum_backward", sum_backward, fixed(5), fixed(7), names=("dx", "dy")),
    rule(
        "chain_backward",
        chain_backward,
        (fixed(3, 5), fixed(3)),
        (fixed(7, 4), fixed(7)),
        mistakes=lambda case: {
            "dy_ignored": Mistake(case.inputs[0].sum(axis=0), "dz is left out", "dx = J' dz"),
            "one_sample": [J_dz[0] for J_dz in [case.inputs[0] * case.inputs[1][:, None]]],
        },
    ),
    rule(
        "branches_backward",
        branches_backward,
        (several((3, 5), (4, 5)), several((3,), (4,))),
        (several((5, 4), (3, 4), (7, 4)), several((5,), (3,), (7,))),
        mistakes=branch_mistakes,
    ),
    rule(
        "hadamard_backward",
        hadamard_backward,
        (away(), away(), away()),
        (fixed(7), fixed(7), fixed(7)),
        names=("dx", "dy"),
        mistakes=other_operand,
    ),
    rule(
        "map_backward",
        map_backward,
        (fixed(5), fixed(5)),
        (fixed(7), fixed(7)),
        mistakes=lambda case: {
            "missing_derivative": Mistake(case.inputs[1], "the slopes are left out", "dz ∘ g'(x)"),
            "dy_ignored": Mistake(case.inputs[0], "dz is left out", "dz ∘ g'(x)"),
        },
    ),
)
RULES = {f.__name__: f for f in (product_backward, sum_backward, chain_backward)}
RULES |= {f.__name__: f for f in (branches_backward, hadamard_backward, map_backward)}


# The network ------------------------------------------------------------------------------------


def graph_of_mlp():
    """The network of the library, step by step, with everything in it an input."""
    named = {n: nn.Input(n) for n in ("x", "W1", "b1", "W2", "b2", "W3", "b3")}
    z, count = named["x"], 0
    for i in (1, 2, 3):
        z = nn.MatMul()(named[f"W{i}"], z, name=f"z{count + 1}")
        z = nn.Add()(z, named[f"b{i}"], name=f"z{count + 2}" if i < 3 else "out")
        if i < 3:
            z = nn.ReLU()(z, name=f"z{count + 3}")
        count += 3
    return nn.Graph(inputs=list(named.values()), output=z)


def flat(arrays, params):
    """Vectors that were columns in the graph."""
    return {k: np.array(a) if k in params and a.ndim == 2 and k[0] == "W" else np.ravel(a)
            for k, a in arrays.items()}  # fmt: skip


def through(x, params):
    graph = graph_of_mlp()
    columns = [a if a.ndim == 2 else a[:, None] for a in (x, *(params[k] for k in ORDER))]
    graph.forward(*columns)
    return graph


ORDER = ("W1", "b1", "W2", "b2", "W3", "b3")
STEPS = ("z1", "z2", "z3", "z4", "z5", "z6", "z7", "out")


def mlp_forward(x, params):
    values = flat(through(x, params).node_values, params)
    return {name: values[name] for name in STEPS}


def mlp_backward(x, params, z, dout):
    graph = through(x, params)
    graph.backward(dout[:, None])
    grads = flat(graph.node_grads, params)
    return {name: grads[name] for name in ("z7", "b3", "W3", "z6", "z5", "b2", "z4", "W2", "z3",
                                           "z2", "b1", "z1", "W1", "x")}  # fmt: skip


def from_steps(x, params, z, dout):
    """The same from the steps that are handed in, as the scan's mistakes may be in these."""
    g = {"z7": dout, "b3": dout}
    for i, above in ((3, "z7"), (2, "z4"), (1, "z1")):
        y = f"z{3 * i - 3}" if i > 1 else "x"
        g[f"W{i}"], g[y] = product_backward(params[f"W{i}"], x if i == 1 else z[y], g[above])
        if i > 1:
            dz = map_backward(1.0 * (z[f"z{3 * i - 4}"] > 0), g[y])
            g |= dict.fromkeys((f"z{3 * i - 4}", f"b{i - 1}", f"z{3 * i - 5}"), dz)
    return g


def draw_params(rng, sizes):
    shapes = {f"W{i + 1}": (sizes[i + 1], sizes[i]) for i in range(3)}
    shapes |= {f"b{i + 1}": (sizes[i + 1],) for i in range(3)}
    return {name: draw_dy(rng, shapes[name]) for name in ORDER}


class Network:
    """Draws of one network after another, whose arguments belong together."""

    def __init__(self, sizes, zeros=False):
        self.sizes, self.zeros = sizes, zeros

    def arguments(self):
        return (self._x, self._params, self._z, self._dout)

    def _x(self, rng, batch):
        self.params = draw_params(rng, self.sizes)
        self.x = draw_dy(rng, self.sizes[:1])
        if self.zeros:  # whole numbers, so that both hidden layers are exactly 0 at places
            self.params = {
                k: rng.integers(1, 4, a.shape) * np.sign(a) for k, a in self.params.items()
            }
            self.x = np.round(2 * self.x)
            for i in (1, 2):
                z = mlp_forward(self.x, self.params)[f"z{3 * i - 2}"]
                self.params[f"b{i}"][1:3] = -z[1:3]
        return self.x

    def _params(self, rng, batch):
        return self.params

    def _z(self, rng, batch):
        return mlp_forward(self.x, self.params)

    def _dout(self, rng, batch):
        return draw_dy(rng, self.sizes[-1:])


def forward_mistakes(case):
    words = "the bias is added in this step already", "z1 = W1 x, and z2 adds b1"
    return {
        f"z{3 * i - 2}": {"bias_too_early": Mistake(case.y[f"z{3 * i - 1}"], *words)}
        for i in (1, 2)
    } | {"z7": {"bias_too_early": Mistake(case.y["out"], *words)}}


def backward_mistakes(case):
    z = case.inputs[2]
    words = "dout is left out", "it is the gradient by z7 and by b3"
    right, found = case.y, {"z7": {"dy_ignored": Mistake(np.ones(len(case.y["z7"])), *words)}}
    for name, above, pre, printed in (("z5", "z6", "z5", "z2"), ("z2", "z3", "z2", "z5")):
        mask = "the mask is taken from the wrong step", f"it is 1 where {pre} > 0: relu saw {pre}"
        of_dy = "the mask is taken from the gradient", f"it is 1 where {pre} > 0"
        kept = "the gradient at 0 is passed on", f"by convention it is 0 there: {pre} > 0"
        other = np.resize(z[printed], z[pre].shape) > 0
        g = right[above]
        wrong = [g * other, g * (z[f"z{3 * (pre == 'z5') + 1}"] > 0)]
        found[name] = {
            "wrong_mask": Mistake(wrong, *mask),
            "mask_of_dy": Mistake(g * (g > 0), *of_dy),
            "passed_at_zero": Mistake(g * (z[pre] >= 0) if (z[pre] == 0).any() else [], *kept),
            "missing_derivative": g,
            "inverted_mask": g * (z[pre] <= 0),
        }
    for name in ("W1", "W2", "W3"):
        turned = "the derivative is written as a row, so it is transposed", "dz x', in W's shape"
        found[name] = {"transposed": Mistake(right[name].T, *turned)}
    before = {"W2": z["z2"], "W3": z["z5"]}
    for name, dz in (("W2", "z4"), ("W3", "z7")):
        words = "W's input is taken before the relu", "it is what the product was of"
        found[name]["wrong_place"] = Mistake(np.outer(right[dz], before[name]), *words)
    return found


def in_order(sizes, several=3):
    return [Network(sizes) for _ in range(several)]


mlp_forward_cases = [
    net.arguments()[:2] for net in (*in_order((5, 7, 4, 3)), Network((3, 6, 5, 4)))
]
mlp_steps = function_items(
    "mlp_forward", mlp_forward, {"": mlp_forward_cases}, mistakes=forward_mistakes
).value()
nets = *in_order((5, 7, 4, 3)), Network((3, 6, 5, 4)), Network((2000, 60, 50, 3))
mlp_gradients = (
    function_items(
        "mlp_backward",
        mlp_backward,
        {"": [net.arguments() for net in nets]},
        mistakes=backward_mistakes,
        given=RULES,
    ).value(),
    function_items(
        "mlp_backward",
        mlp_backward,
        {"zeros": [Network((5, 7, 4, 3), zeros=True).arguments() for _ in range(3)]},
        mistakes=backward_mistakes,
        given=RULES,
    ).value(),
)


# The scan ---------------------------------------------------------------------------------------


def scan_of(params, window, stride):
    """The library's scan of one sequence, with these parameters."""
    layers = []
    for i in (1, 2, 3):
        W = params[f"W{i}"]
        layers += [nn.ReLU()] * bool(layers) + [nn.Linear(*W.shape[::-1], rng=0).astype(W.dtype)]
        layers[-1].params = {"W": W, "b": params[f"b{i}"]}
    return nn.Scan(nn.Sequential(*layers), window, stride)


class Scanned(nn.Layer):
    """The student's layer as the library has it: of one sequence, with parameters W1 to b3."""

    def __init__(self, window, features, hidden1, hidden2, out_features, stride=1):
        sizes = [window * features, hidden1, hidden2, out_features]
        drawn = [nn.Linear(*pair, rng=0).params for pair in pairwise(sizes)]
        self.params = {f"{k}{i}": p[k] for i, p in enumerate(drawn, 1) for k in ("W", "b")}
        self.window, self.stride = window, stride

    def forward_pass(self, x):
        scan = scan_of(self.params, self.window, self.stride)
        y, cache = scan.forward_pass(x[None])
        return y[0], (scan, cache)

    def backprop(self, dy, cache, out=None, need_dx=True):
        scan, kept = cache
        dx, grads = scan.backprop(dy[None], kept)
        return dx[0], {f"{name[-1]}{1 + int(name[0]) // 2}": g for name, g in grads.items()}


def scan_mistakes(window, stride):
    """What a scan gives by a mistake in its windows or its sums over them."""

    def mistakes(case):
        if case.x.shape[1] > 9:  # the large case
            return {}
        params, time = case.params, len(case.x)
        starts = range(0, time - window + 1, stride)
        rows = np.array([case.x[s : s + window].ravel() for s in starts])
        turned = np.array([case.x[s : s + window].T.ravel() for s in starts])
        whole = scan_of(params, window, 1).forward(case.x[None])[0]
        short = "the last window is missing", "there are time - window + 1 starts for stride 1"
        every = "windows lie one step apart", "the t-th begins at t · stride"
        order = "the windows are laid out feature first", "flatten them as they are: time first"
        found = {
            "window_missing": Mistake(case.y[:-1], *short),
            "feature_first": Mistake(per_row(params, turned), *order),
        }
        if stride > 1:
            found["stride_forgotten"] = Mistake([whole, whole[: len(case.y)]], *every)
        if case.dy is None:
            return {"y": found}
        return {"y": found, "dx": of_windows(params, rows, starts, case)} | means(
            params, rows, case
        )

    return mistakes


def means(params, rows, case):
    """The gradients of the weights, averaged over the windows."""
    pairs = zip(rows, case.dy, strict=True)
    each = [mlp_backward(x, params, None, dy) for x, dy in pairs]
    words = "the gradients of the windows are averaged", "weights are shared, so they add up"
    return {k: {"averaged": Mistake(np.mean([g[k] for g in each], axis=0), *words)} for k in ORDER}


def per_row(params, rows):
    return scan_of(params, 1, 1).forward(rows[:, None].swapaxes(0, 1))[0]


def of_windows(params, rows, starts, case):
    """dX by what may happen to the gradients of single windows."""
    pairs = zip(rows, case.dy, strict=True)
    parts = np.array([mlp_backward(x, params, None, dy)["x"] for x, dy in pairs])
    window = rows.shape[1] // case.x.shape[1]
    parts = parts.reshape(len(rows), window, -1)

    def put(order, starts, write):
        dx = np.zeros((case.x.shape[0] + window, case.x.shape[1]))
        for t in order:
            write(dx, slice(starts[t], starts[t] + window), parts[t])
        return dx[: case.x.shape[0]]

    def assign(dx, at, part):
        dx[at] = part

    def last_column(dx, at, part):
        dx[at][:-1] += part[:-1]
        dx[at][-1] = part[-1]

    def add(dx, at, part):
        dx[at] += part

    up, down = range(len(rows)), range(len(rows))[::-1]
    counts = put(up, starts, lambda dx, at, part: add(dx, at, 1.0))
    rule = "start from zeros, and write += always"
    last = "the last place of each window is set: right only if t ascends", rule
    mean = "where windows overlap, their gradients are averaged", "they add up"
    return {
        "windows_not_added": [put(order, starts, assign) for order in (up, down)],
        "last_place_set": Mistake(put(down, starts, last_column), *last),
        "stride_forgotten": put(up, range(len(rows)), add) if starts.step > 1 else [],
        "averaged": Mistake(put(up, starts, add) / np.maximum(counts, 1), *mean),
    }


SIZES = (5, 3, 8, 6, 9)
LARGE = Large(normal(1500), args=(4, 1500, 6, 5, 3), batch=14)


def scanned(stride, times, large=None):
    return layer_items(
        "ScannedMLP",
        Scanned,
        args=(*SIZES, stride),
        inputs=normal(3),
        batches=times,
        large=large,
        mistakes=scan_mistakes(SIZES[0], stride),
        names=("O", "dX"),
        given={"mlp_forward": mlp_forward, "mlp_backward": from_steps},
    )


dense, sparse = scanned(1, (11, 11, 15), LARGE), scanned(3, (16, 16, 25))
scan_forward = dense.value(), sparse.value()
scan_gradient = dense.grads(*ORDER), sparse.grads(*ORDER)
scan_backward = dense.dx(), sparse.dx()


# Correlation ------------------------------------------------------------------------------------


def correlate(X, K, b, stride=1):
    ours = Reference(nn.Correlation1d(*K.shape[1::-1], K.shape[2], stride=stride))
    ours.set("W", K)
    ours.set("b", b)
    return ours.forward(X.T[None])[0].T


def kernels_of(params, window):
    found = scan_of(params, window, 1).as_correlation()
    return {f"K{i}": found.params[f"{2 * i - 2}.W"] for i in (1, 2, 3)}


def scan_by_correlation(X, params, window, stride=1):
    return scan_of(params, window, stride).forward(X[None])[0]


def kernel_mistakes(case):
    W1 = case.inputs[0]["W1"]
    words = "W1's rows are read as if they lay feature first", "a window lies flat time first"
    turned = "time and features are exchanged", "K1 is (h1, features, window): swap two axes"
    return {
        "K1": {
            "feature_first": Mistake(W1.reshape(case.y["K1"].shape), *words),
            "transposed": Mistake(case.y["K1"].swapaxes(1, 2), *turned),
        }
    }


def correlate_mistakes(case):
    X, K, b, stride = case.inputs
    every = correlate(X, K, b)
    return {
        "flipped_kernel": Mistake(
            correlate(X, K[:, :, ::-1], b, stride), "the kernel is flipped", "X_{t+j} with K_j"
        ),
        "bias_missing": Mistake(case.y - b, "the bias is left out", "b_o is added at every t"),
        "stride_forgotten": Mistake(
            [every, every[: len(case.y)]] if stride > 1 else [],
            "windows lie one step apart", "the t-th begins at t · stride",
        ),
        "window_missing": Mistake(case.y[:-1], "the last window is missing", "time - k + 1 starts"),
    }  # fmt: skip


def scan_mistakes_by_hand(case):
    X, params, window, stride = case.inputs
    K = kernels_of(params, window)

    def without(relus, strides):
        y = X
        for i in (1, 2, 3):
            y = correlate(y, K[f"K{i}"], params[f"b{i}"], strides[i - 1])
            y = np.maximum(y, 0) if i in relus else y
        return y

    strides = (stride, 1, 1)
    between = "a relu between the correlations is missing", "behind the first and the second"
    last = "there is a relu behind the last correlation", "outputs have both signs"
    again = "the stride is taken in every correlation", "the first alone moves by it"
    return {
        "no_activation": Mistake([without(r, strides) for r in ((), (1,), (2,))], *between),
        "activation_after_last": Mistake(without((1, 2, 3), strides), *last),
        "stride_again": Mistake(
            [
                without((1, 2), (stride, k, m))
                for k in {1, stride}
                for m in {1, stride}
                if k * m > 1
            ],
            *again,
        ),
        "stride_forgotten": Mistake(
            without((1, 2), (1, 1, 1)) if stride > 1 else [], "the stride is left out", "pass it on"
        ),
    }


def whole(*values):
    return [lambda rng, batch, value=value: value for value in values]


def params_of(window, features):
    return lambda rng, batch: draw_params(rng, (window * features, 8, 6, 9))


correlation = function_items(
    "correlate",
    correlate,
    {
        "": [(fixed(11, 3), fixed(5, 3, 4), fixed(5), *whole(1))],
        "stride": [(fixed(17, 3), fixed(5, 3, 6), fixed(5), *whole(4))],
        "kernel of 1": [(fixed(9, 3), fixed(5, 3, 1), fixed(5), *whole(1))],
    },
    mistakes=correlate_mistakes,
).value()
kernels = function_items(
    "kernels_of",
    kernels_of,
    {"": [(params_of(5, 3), *whole(5)), (params_of(3, 7), *whole(3))]},
    mistakes=kernel_mistakes,
).value()
equality = function_items(
    "scan_by_correlation",
    scan_by_correlation,
    {
        "": [(fixed(11, 3), params_of(5, 3), *whole(5, 1))],
        "stride": [(fixed(47, 3), params_of(5, 3), *whole(5, 3))],
    },
    mistakes=scan_mistakes_by_hand,
    given={"correlate": correlate, "kernels_of": kernels_of},
).value()

training = training_check(
    model=[("ScannedMLP", (4, 3, 7, 6, 5, 2))],
    make=lambda: Scanned(4, 3, 7, 6, 5, 2),
    loss=nn.MSELoss,
    optimizer=(nn.SGD, {"learning_rate": 0.02}),
    inputs=(fixed(13, 3), fixed(5, 5)),
)
