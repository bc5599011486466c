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
    return {
        "dW": {
            "transposed": Mistake(np.outer(x, dz), *words),
            "dy_ignored": np.outer(np.ones(len(dz)), x),
            "other_derivative": Mistake([W * dz[:, None]], "W stands where x belongs", "dz x'"),
        },
        "dx": {
            "dy_ignored": W.sum(axis=0),
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


def rule(right, *cases, **options):
    return function_items(right.__name__, right, {"": cases}, **options).value()


rules = (
    rule(
        product_backward,
        (fixed(3, 5), fixed(5), fixed(3)),
        (fixed(7, 4), fixed(4), fixed(7)),
        (fixed(400, 3000), fixed(3000), fixed(400)),
        names=("dW", "dx"),
        mistakes=product_mistakes,
    ),
    rule(sum_backward, fixed(5), fixed(7), names=("dx", "dy")),
    rule(
        chain_backward,
        (fixed(3, 5), fixed(3)),
        (fixed(7, 4), fixed(7)),
        (fixed(200, 9000), fixed(200)),
        mistakes=lambda case: {
            "dy_ignored": Mistake(case.inputs[0].sum(axis=0), "dz is left out", "dx = J' dz"),
            "one_sample": [J_dz[0] for J_dz in [case.inputs[0] * case.inputs[1][:, None]]],
        },
    ),
    rule(
        branches_backward,
        (several((3, 5), (4, 5)), several((3,), (4,))),
        (several((5, 4), (3, 4), (7, 4)), several((5,), (3,), (7,))),
        (several((100, 9000), (120, 9000)), several((100,), (120,))),
        mistakes=branch_mistakes,
    ),
    rule(
        hadamard_backward,
        (away(), away(), away()),
        (fixed(7), fixed(7), fixed(7)),
        names=("dx", "dy"),
        mistakes=other_operand,
    ),
    rule(
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


def steps(x, params):
    """`mlp_forward` once more, fast enough to be asked for every window."""
    z, y = {}, x
    for i in (1, 2, 3):
        z[f"z{3 * i - 2}"] = params[f"W{i}"] @ y
        z[f"z{3 * i - 1}" if i < 3 else "out"] = y = z[f"z{3 * i - 2}"] + params[f"b{i}"]
        if i < 3:
            z[f"z{3 * i}"] = y = np.maximum(y, 0)
    return z


def from_steps(x, params, z, dout):
    """`mlp_backward` from the steps that are handed in, as the scan's mistakes may be in these."""
    g = {"z7": dout, "b3": dout}
    for i, above in ((3, "z7"), (2, "z4"), (1, "z1")):
        y = f"z{3 * i - 3}" if i > 1 else "x"
        g[f"W{i}"], g[y] = np.outer(g[above], x if i == 1 else z[y]), params[f"W{i}"].T @ g[above]
        if i > 1:
            dz = g[y] * (z[f"z{3 * i - 4}"] > 0)
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
        value = "the gradient is multiplied by the relu's value", f"its slope is 1 where {pre} > 0"
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
            "value_for_derivative": Mistake(g * z[above], *value),
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
    """The library's scan, with these parameters."""
    layers = []
    for i in (1, 2, 3):
        W = params[f"W{i}"]
        layers += [nn.ReLU()] * bool(layers) + [nn.Linear(*W.shape[::-1], rng=0).astype(W.dtype)]
        layers[-1].params = {"W": W, "b": params[f"b{i}"]}
    return nn.Scan(nn.Sequential(*layers), window, stride)


class Scanned(nn.Layer):
    """The library's scan of one sequence, with parameters W1 to b3; fast, as it is asked often."""

    def __init__(self, window, features, hidden1, hidden2, out_features, stride=1):
        sizes = [window * features, hidden1, hidden2, out_features]
        drawn = [nn.Linear(*pair, rng=0).params for pair in pairwise(sizes)]
        self.params = {f"{k}{i}": p[k] for i, p in enumerate(drawn, 1) for k in ("W", "b")}
        self.window, self.stride = window, stride

    def forward_pass(self, x):
        seen = [slice(s, s + self.window) for s in range(0, len(x) - self.window + 1, self.stride)]
        ys = [np.array([x[at].ravel() for at in seen])]
        for i in (1, 2, 3):
            z = ys[-1] @ self.params[f"W{i}"].T + self.params[f"b{i}"]
            ys.append(np.maximum(z, 0) if i < 3 else z)
        return ys[-1], (ys, seen, x.shape)

    def backprop(self, dy, cache, out=None, need_dx=True):
        ys, seen, shape = cache
        dx, grads = np.zeros(shape), {}
        for i in (3, 2, 1):
            grads |= {f"W{i}": dy.T @ ys[i - 1], f"b{i}": dy.sum(axis=0)}
            dy = (dy @ self.params[f"W{i}"]) * (ys[i - 1] > 0 if i > 1 else 1)
        for at, part in zip(seen, dy, strict=True):
            dx[at] += part.reshape(self.window, -1)
        return dx, grads

    @classmethod
    def of(cls, params, window, stride):
        layer = cls(1, 3, 4, 5, 6)
        layer.params = {name: params[name] for name in ORDER}
        layer.window, layer.stride = window, stride
        return layer


def scan_mistakes(window, stride):
    """What a scan gives by a mistake in its windows or its sums over them."""

    def mistakes(case):
        if case.x.shape[1] > 9:  # the large case
            return {}
        params, starts = case.params, range(0, len(case.x) - window + 1, stride)
        turned = np.array([case.x[s : s + window].T.ravel() for s in starts])
        whole, _ = Scanned.of(params, window, 1).forward_pass(case.x)
        short = "the last window is missing", "there are time - window + 1 starts for stride 1"
        every = "windows lie one step apart", "the t-th begins at t · stride"
        order = "the windows are laid out feature first", "flatten them as they are: time first"
        other, _ = Scanned.of(params, 1, 1).forward_pass(turned)
        found = {
            "window_missing": Mistake(case.y[:-1], *short),
            "feature_first": Mistake(other, *order),
        }
        if stride > 1:
            found["stride_forgotten"] = Mistake([whole, whole[: len(case.y)]], *every)
        return {"y": found} | ({} if case.dy is None else of_gradients(case, window, starts))

    return mistakes


def of_gradients(case, window, starts):
    """The gradients by what may happen to those of single windows."""
    ours = Scanned.of(case.params, window, starts.step)
    _, cache = ours.forward_pass(case.x)
    each = np.eye(len(starts))[:, :, None] * case.dy  # dy at one window, 0 at the others
    backs = [ours.backprop(dy, cache) for dy in each]
    parts = [dx[s : s + window] for s, (dx, _) in zip(starts, backs, strict=True)]

    def put(order, starts, write, parts=parts):
        dx = np.zeros((case.x.shape[0] + window, case.x.shape[1]))
        for t in order:
            write(dx[starts[t] : starts[t] + window], parts[t])
        return dx[: case.x.shape[0]]

    def assign(at, part):
        at[...] = part

    def last_set(at, part):
        at[:-1] += part[:-1]
        at[-1] = part[-1]

    def add(at, part):
        at += part

    def count(at, part):
        at += 1

    up, down = range(len(parts)), range(len(parts))[::-1]
    rule = "start from zeros, and write += always"
    last = "the last place of each window is set: right only if t ascends", rule
    mean = "the gradients of the windows are averaged", "they add up"
    right, counts = put(up, starts, add), np.maximum(put(up, starts, count), 1)
    turned = "dx(t) is brought back feature first", "windows lie flat time first"
    bent = [part.ravel().reshape(part.shape[::-1]).T for part in parts]
    rows = [case.x[s : s + window].ravel() for s in starts]
    shared = "every window is taken back with the steps of one of them", "keep the z of each"
    pairs = list(zip(rows, case.dy, strict=True))
    first_last = [
        [from_steps(x, case.params, steps(rows[k], case.params), dy) for x, dy in pairs]
        for k in (0, -1)
    ]
    of_x = [put(up, starts, add, [g["x"].reshape(window, -1) for g in gs]) for gs in first_last]
    of_params = {
        k: {
            "averaged": Mistake(sum(g[k] for _, g in backs) / len(parts), *mean),
            "steps_shared": Mistake([sum(g[k] for g in gs) for gs in first_last], *shared),
        }
        for k in ORDER
    }
    return of_params | {
        "dx": {
            "windows_not_added": [put(order, starts, assign) for order in (up, down)],
            "last_place_set": Mistake(put(down, starts, last_set), *last),
            "stride_forgotten": put(up, range(len(parts)), add) if starts.step > 1 else [],
            "averaged": Mistake([right / counts, right / len(parts)], *mean),
            "feature_first": Mistake(put(up, starts, add, bent), *turned),
            "steps_shared": Mistake(of_x, *shared),
        }
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
        given={"mlp_forward": steps, "mlp_backward": from_steps},
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
