"""What the grader asks in hw8_recurrent, and what the library answers."""

from dataclasses import replace

import numpy as np

import nnscratch as nn
from nnscratch.grading.checks import check
from nnscratch.grading.draws import Large, labels, normal
from nnscratch.grading.evidence import Mistake, case_of, compare, draw_dy
from nnscratch.grading.layer_items import layer_items
from nnscratch.grading.student import entry
from nnscratch.grading.training_check import training_check

NAMES = ("W_x", "W_h", "b_x", "b_h")

# One step ---------------------------------------------------------------------------------------


def sigmoid(a):
    return (1 + np.tanh(a / 2)) / 2


def drawn_params(rng, n_in, n_hidden, gates):
    shapes = {"W_x": (gates * n_hidden, n_in), "W_h": (gates * n_hidden, n_hidden)}
    shapes |= {"b_x": (gates * n_hidden,), "b_h": (gates * n_hidden,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def sums(x, h, params):
    return x @ params["W_x"].T + params["b_x"] + h @ params["W_h"].T + params["b_h"]


def rnn_step_of(x, h, params):
    return np.tanh(sums(x, h, params))


def products(da, x, h, params):
    """dx, dh and the gradients from that by the sums."""
    db = da.sum(axis=0)
    grads = {"W_x": da.T @ x, "W_h": da.T @ h, "b_x": db, "b_h": db}
    return da @ params["W_x"], da @ params["W_h"], grads


def rnn_back_of(dh_new, x, h, h_new, params):
    return products(dh_new * (1 - h_new**2), x, h, params)


def library_cell(make, params):
    cell = make(params["W_x"].shape[1], params["W_h"].shape[1], rng=0).astype(np.float64)
    for name in NAMES:
        cell.params[name] = params[name]
    return cell


@check("rnn_step")
def rnn_step(student, rng):
    for n in (4, 7):
        x, h, params = rng.normal(size=(n, 5)), rng.normal(size=(n, 3)), drawn_params(rng, 5, 3, 1)
        right = library_cell(nn.RNNCell, params).forward(x, h)
        a, rule = sums(x, h, params), "h' = tanh(W_x x + b_x + W_h h + b_h)"
        missing = [np.tanh(a - params["b_x"]), np.tanh(a - params["b_h"])]
        missing.append(np.tanh(a - params["b_x"] - params["b_h"]))
        turned = "W_h is used the other way round", "rows: h @ W_h.T, as for W_x"
        mistakes = {
            "activation_missing": Mistake(a, "tanh is left out", rule),
            "other_activation": Mistake(sigmoid(a), "this is the sigmoid", rule),
            "bias_missing": Mistake(missing, "a bias is left out", rule),
            "weights_missing": Mistake(
                np.tanh(a - h @ params["W_h"].T + h), "the old state is added as it is", rule
            ),
            "state_ignored": Mistake(
                [
                    np.tanh(a - h @ params["W_h"].T),
                    np.tanh(a - h @ params["W_h"].T - params["b_h"]),
                ],
                "the old state is left out",
                rule,
            ),
            "transpose_missing": Mistake(
                np.tanh(a - h @ params["W_h"].T + h @ params["W_h"]), *turned
            ),
        }
        got = student.function("rnn_step", x, h, params)
        found = compare("h_new", got, right, mistakes, array="value")
        yield replace(found, case=case_of((x, h), None, params))


def judged_step(arrays, grads, right, right_grads, mistakes, around):
    """Comparisons of the gradients of one step, each with what mistakes would give for it."""
    expected = right | {f"d{name}": right_grads[name] for name in NAMES}
    got = arrays | {f"d{name}": entry(grads, name) for name in NAMES}
    kinds = {"dx": "dx[0]", "dh": "dx[1]", "dc": "dx[2]"}
    for name, array in expected.items():
        own = {
            code: Mistake([form[name] for form in forms], *words)
            for code, (forms, *words) in mistakes.items()
            if not all(np.array_equal(form[name], array) for form in forms)
        }
        other = {n.removeprefix("d"): a for n, a in expected.items() if np.shape(a) != array.shape}
        context = {"array": kinds.get(name, name[1:]), "others": other, **around}
        yield compare(name, got[name], array, own, **context)


def flat(parts):
    """(dx, dh, ..., grads) as one dict."""
    *arrays, grads = parts
    named = dict(zip(("dx", "dh", "dc"), arrays, strict=False))
    return named | {f"d{name}": grads[name] for name in NAMES}


@check("rnn_step_backward")
def rnn_step_backward(student, rng):
    for n in (4, 7):
        x, h, params = rng.normal(size=(n, 5)), rng.normal(size=(n, 3)), drawn_params(rng, 5, 3, 1)
        h_new, dh_new = rnn_step_of(x, h, params), draw_dy(rng, (n, 3))
        arguments = (dh_new, x, h, h_new, params)
        dx, dh, grads = student.function("rnn_step_backward", *arguments, unpack=3)
        cell = library_cell(nn.RNNCell, params)
        cell.forward(x, h)
        (right_dx, right_dh), right_grads = cell.backward(dh_new)
        rule = "da = dh_new ∘ (1 - h_new²)"
        wrong = [
            products(dh_new * (1 - h**2), x, h, params),
            products(dh_new * (1 - np.tanh(h_new) ** 2), x, h, params),
        ]
        turned = flat((right_dx, dh_new * (1 - h_new**2) @ params["W_h"].T, right_grads))
        mistakes = {
            "missing_derivative": ([flat(products(dh_new, x, h, params))],
                                   "the derivative of tanh is left out", rule),
            "wrong_place": ([flat(parts) for parts in wrong],
                            "the derivative of tanh is taken at the wrong place", rule),
            "square_missing": ([flat(products(dh_new * (1 - h_new), x, h, params))],
                               "h_new is not squared", rule),
            "square_added": ([flat(products(dh_new * (1 + h_new**2), x, h, params))],
                             "the square is added", rule),
            "new_state": ([flat(products(dh_new * (1 - h_new**2), x, h_new, params))],
                          "dW_h is made with the new state", "W_h was multiplied by the old one"),
            "transpose_missing": ([turned], "W_h is used the other way round", "dh = da @ W_h"),
        }  # fmt: skip
        around = {"inputs": (x, h), "dy": dh_new, "y": h_new, "params": params}
        yield from judged_step(
            {"dx": dx, "dh": dh}, grads, {"dx": right_dx, "dh": right_dh}, right_grads,
            mistakes, around,
        )  # fmt: skip


# RNN along a sequence ---------------------------------------------------------------------------

GIVEN_RNN = {"rnn_step": rnn_step_of, "rnn_step_backward": rnn_back_of}


def along(x, params, carry=True, first_last=False):
    h, states = np.zeros((len(x), params["W_h"].shape[1])), []
    for t in reversed(range(x.shape[1])) if first_last else range(x.shape[1]):
        h = rnn_step_of(x[:, t], h if carry else h * 0, params)
        states.append(h)
    return np.stack(states, axis=1)


def back_along(case, carry=lambda dh, dy: dh + dy, order=reversed):
    """dx and gradients, with another rule for what goes into a step, or another order."""
    x, dy, y, params = case.x, case.dy, case.y, case.params
    h = np.concatenate([np.zeros((len(x), 1, y.shape[2])), y], axis=1)
    dx, dh, total = np.zeros(x.shape), np.zeros(y[:, 0].shape), dict.fromkeys(NAMES, 0.0)
    parts = []
    for t in order(range(x.shape[1])):
        into = carry(dh, dy[:, t])
        dx[:, t], dh, grads = rnn_back_of(into, x[:, t], h[:, t], h[:, t + 1], params)
        total = {name: total[name] + grads[name] for name in NAMES}
        parts.append(grads)
    return {"dx": dx} | total, parts


def of_time(total, parts):
    """What becomes of a parameter's gradient where the steps' parts are not added up."""
    lost = "only one step's gradient is left", "add up those of all steps: += in the loop, from 0"
    mean = "the gradient is a mean over the steps", "each step uses the parameter: a sum"
    return {
        name: {
            "one_step": Mistake([parts[-1][name], parts[0][name]], *lost),
            "mean_over_time": Mistake(total[name] / len(parts), *mean),
        }
        for name in NAMES
    }


def stacked_otherwise(case):
    words = "the axes of batch and time are exchanged", "stack along axis 1: (batch, time, hidden)"
    return {"time_first": Mistake(np.swapaxes(case.y, 0, 1), *words)}


def rnn_mistakes(case):
    no_state = "every step starts from a state of zeros", "h goes from step to step"
    found = {
        "y": {
            "state_not_carried": Mistake(along(case.x, case.params, carry=False), *no_state),
            "time_reversed": Mistake(
                [along(case.x, case.params, first_last=True),
                 along(case.x, case.params, first_last=True)[:, ::-1]],
                "the steps run from the last to the first", "range(time)",
            ),
        }
    }  # fmt: skip
    found["y"] |= stacked_otherwise(case)
    if case.dy is None:
        return found
    cut = (
        "the gradient of each step stays in it: the state's is not passed back",
        "what step t + 1 gives as dh belongs to dy[:, t]: add it",
    )
    forms = {
        "time_cut": (back_along(case, carry=lambda dh, dy: dy)[0], *cut),
        "state_subtracted": (
            back_along(case, carry=lambda dh, dy: dy - dh)[0],
            "what the step behind passes back is subtracted",
            "both gradients of a state add up",
        ),
        "wrong_order": (
            back_along(case, order=iter)[0],
            "the steps of backward run forwards",
            "from the last to the first: the state's gradient comes from the step behind",
        ),
        "output_ignored": (
            back_along(case, carry=lambda dh, dy: dh if dh.any() else dy)[0],
            "dy counts in the last step only",
            "each step gets its own dy and what the step behind passes back",
        ),
    }
    more = of_time(*back_along(case))
    for name in ("dx", *NAMES):
        own = {code: Mistake(form[name], *words) for code, (form, *words) in forms.items()}
        found[name] = own | more.get(name, {})
    return found


of_rnn = layer_items(
    "RNN",
    nn.RNN,
    args=(5, 3),
    inputs=normal(6, 5),
    large=Large(normal(4, 20_000), args=(20_000, 3)),
    mistakes=rnn_mistakes,
    given=GIVEN_RNN,
)
rnn_forward = of_rnn.value()
rnn_dx = of_rnn.dx()
rnn_gradient = of_rnn.grads(*NAMES)


# LSTM -------------------------------------------------------------------------------------------


def lstm_step_of(x, h, c, params, order=(0, 1, 2, 3)):
    blocks = np.split(sums(x, h, params), 4, axis=1)
    a_i, a_f, a_g, a_o = (blocks[place] for place in order)
    i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    c_new = f * c + i * g
    return o * np.tanh(c_new), c_new, (i, f, g, o)


def lstm_back_of(dh_new, dc_new, x, h, c, c_new, gates, params, **other):
    """(dx, dh, dc, grads); `other` changes a part: through, slopes, shown, order, keeps."""
    (i, f, g, o), t = gates, np.tanh(c_new)
    dc = dc_new + other.get("through", dh_new * o * (1 - t**2))
    slopes = other.get("slopes", (i * (1 - i), f * (1 - f), 1 - g**2, o * (1 - o)))
    reached = [dc * g, dc * c, dc * i, other.get("shown", dh_new * t)]
    da = [d * slope for d, slope in zip(reached, slopes, strict=True)]
    da = np.concatenate([da[place] for place in other.get("order", (0, 1, 2, 3))], axis=1)
    dx, dh, grads = products(da, x, h, params)
    return dx, dh, other.get("keeps", lambda dc: dc * f)(dc), grads


EXCHANGED = [(1, 0, 2, 3), (2, 1, 0, 3), (3, 1, 2, 0), (0, 2, 1, 3), (0, 3, 2, 1), (0, 1, 3, 2)]
ORDER = "the rows of W_x, W_h and the biases hold i, f, g, o, in this order"


@check("lstm_step")
def lstm_step(student, rng):
    for n in (4, 7):
        x, params = rng.normal(size=(n, 5)), drawn_params(rng, 5, 3, 4)
        h, c = rng.normal(size=(n, 3)), 1.5 * rng.normal(size=(n, 3))
        got = student.function("lstm_step", x, h, c, params, unpack=3)
        state = library_cell(nn.LSTMCell, params).forward(x, np.concatenate([h, c], axis=1))
        right_h, right_c = np.split(state, 2, axis=1)
        _, _, (i, f, g, o) = lstm_step_of(x, h, c, params)
        swaps = [lstm_step_of(x, h, c, params, order) for order in EXCHANGED]
        exchanged = "two gates are exchanged", ORDER
        added = "c_new is not made of old and new", "c_new = f ∘ c + i ∘ g"
        raw, linear = g * 0 + sums(x, h, params)[:, 6:9], "c' goes into h' as it is"
        bent = sigmoid(sums(x, h, params)[:, 6:9])
        yield compare(
            "c_new",
            got[1],
            right_c,
            {
                "gates_exchanged": Mistake([s[1] for s in swaps], *exchanged),
                "memory_lost": Mistake(
                    [i * g, (1 - f) * c + i * g, f * c + (1 - f) * g, f * c], *added
                ),
                "results_exchanged": Mistake(right_h, "this is h_new", "h_new, c_new, gates"),
                "other_activation": Mistake(
                    [f * c + i * bent, f * c + i * raw], "g is no tanh", "g = tanh(a_g)"
                ),
            },
            array="value",
        )
        mistakes = {
            "gates_exchanged": Mistake([s[0] for s in swaps], *exchanged),
            "tanh_missing": Mistake(o * right_c, linear, "h' = o ∘ tanh(c')"),
        }
        yield compare("h_new", got[0], right_h, mistakes, array="value")
        gates = got[2] if isinstance(got[2], (tuple, list)) and len(got[2]) == 4 else [None] * 4
        for name, gate, right in zip("ifgo", gates, (i, f, g, o), strict=True):
            yield compare(f"gate {name}", gate, right, array="value")


@check("lstm_step_backward")
def lstm_step_backward(student, rng):
    for n in (4, 7):
        x, params = rng.normal(size=(n, 5)), drawn_params(rng, 5, 3, 4)
        h, c = rng.normal(size=(n, 3)), rng.normal(size=(n, 3))
        _, c_new, gates = lstm_step_of(x, h, c, params)
        dh_new, dc_new = draw_dy(rng, (n, 3)), draw_dy(rng, (n, 3))
        given = (x, h, c, c_new, gates, params)
        name = "lstm_step_backward"
        dx, dh, dc, grads = student.function(name, dh_new, dc_new, *given, unpack=4)
        cell = library_cell(nn.LSTMCell, params)
        cell.forward(x, np.concatenate([h, c], axis=1))
        dstate = np.concatenate([dh_new, dc_new], axis=1)
        (right_dx, dstate), right_grads = cell.backward(dstate)
        right = dict(zip(("dx", "dh", "dc"), (right_dx, *np.split(dstate, 2, 1)), strict=True))
        yield from judged_step(
            {"dx": dx, "dh": dh, "dc": dc}, grads, right, right_grads,
            lstm_mistakes(dh_new, dc_new, *given),
            {"inputs": (x, h, c), "dy": dh_new, "params": params},
        )  # fmt: skip


def lstm_mistakes(dh_new, dc_new, x, h, c, c_new, gates, params):
    """By code the forms that a mistake would give, the cause and the remedy."""
    (i, f, g, o), t = gates, np.tanh(c_new)
    given = (x, h, c, c_new, gates, params)

    def form(dc=dc_new, **other):
        return flat(lstm_back_of(dh_new, dc, *given, **other))

    slopes = (i * (1 - i), f * (1 - f), 1 - g**2, o * (1 - o))
    without = [(*slopes[:k], np.ones_like(i), *slopes[k + 1 :]) for k in range(4)]
    same = (*slopes[:2], g * (1 - g), slopes[3])
    rule = "dc = dc_new + dh_new ∘ o ∘ (1 - tanh² c_new)"
    return {
        "output_path_missing": (
            [form(through=0.0)], "what comes to c_new through h_new is left out", rule),
        "next_step_missing": (
            [form(dc=0.0)], "what the next step gave for c_new is left out", rule),
        "tanh_derivative_missing": (
            [form(through=dh_new * o), form(through=dh_new * o * (1 - c_new**2))],
            "the derivative of tanh at c_new is left out, or taken elsewhere", rule),
        "gate_derivative_missing": (
            [form(slopes=s) for s in (*without, (1, 1, 1, 1))],
            "the derivative of a gate is left out", "σ' = σ (1 - σ) for i, f, o; 1 - g² for g"),
        "other_derivative": (
            [form(slopes=same), form(slopes=(1 - i**2, 1 - f**2, 1 - g**2, 1 - o**2))],
            "sigmoid and tanh have changed derivatives", "σ (1 - σ) for i, f, o, 1 - g² for g"),
        "output_gate_elsewhere": (
            [form(shown=(dc_new + dh_new * o * (1 - t**2)) * t), form(shown=dh_new * c_new)],
            "da_o is not dh_new ∘ tanh c_new ∘ o (1 - o)", "h_new = o ∘ tanh c_new"),
        "gates_exchanged": ([form(order=order) for order in EXCHANGED],
                            "two gates are exchanged", ORDER),
        "forget_gate_missing": (
            [form(keeps=lambda dc, kept=kept: dc * kept) for kept in (1, i, 1 - f)],
            "dc does not go through the forget gate", "c_new = f ∘ c + ..., so dc is that times f"),
    }  # fmt: skip


GIVEN_LSTM = {"lstm_step": lstm_step_of, "lstm_step_backward": lstm_back_of}


def lstm_along(case, carry_h=True, carry_c=True):
    """dx and gradients, where what the state passes back may be lost."""
    x, params, dy = case.x, case.params, case.dy
    h = c = np.zeros((len(x), params["W_h"].shape[1]))
    steps = []
    for t in range(x.shape[1]):
        h_new, c_new, gates = lstm_step_of(x[:, t], h, c, params)
        steps.append((x[:, t], h, c, c_new, gates, params))
        h, c = h_new, c_new
    dx, dh, dc, total = np.zeros(x.shape), 0.0 * h, 0.0 * h, dict.fromkeys(NAMES, 0.0)
    parts = []
    for t in reversed(range(x.shape[1])):
        into = dy[:, t] + dh * carry_h, dc * carry_c
        dx[:, t], dh, dc, grads = lstm_back_of(*into, *steps[t])
        total = {name: total[name] + grads[name] for name in NAMES}
        parts.append(grads)
    return {"dx": dx} | total, parts


def of_lstm_mistakes(case):
    y = {"y": stacked_otherwise(case)}
    if case.dy is None:
        return y
    add = "add what the step behind returned"
    forms = {
        "time_cut": (lstm_along(case, False, False)[0], "neither dh nor dc is passed back", add),
        "memory_cut": (lstm_along(case, carry_c=False)[0], "dc is not passed back", add),
        "state_cut": (lstm_along(case, carry_h=False)[0], "dh is not passed back", add),
    }
    more = of_time(*lstm_along(case))
    return y | {
        name: {code: Mistake(form[name], *words) for code, (form, *words) in forms.items()}
        | more.get(name, {})
        for name in ("dx", *NAMES)
    }


of_lstm = layer_items(
    "LSTM",
    nn.LSTM,
    args=(5, 3),
    inputs=normal(6, 5),
    large=Large(normal(4, 10_000), args=(10_000, 3)),
    mistakes=of_lstm_mistakes,
    given=GIVEN_LSTM,
)
lstm = of_lstm.value(), of_lstm.dx(), of_lstm.grads(*NAMES)


# Attention --------------------------------------------------------------------------------------


def soft(scores, axis=2):
    exps = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return exps / exps.sum(axis=axis, keepdims=True)


def attention_mistakes(causal=False):
    def mistakes(case):
        (q, k, v), dy, d = case.inputs, case.dy, case.inputs[0].shape[2]
        unscaled = q @ k.swapaxes(1, 2)
        mask = np.triu(np.full(unscaled.shape[1:], -np.inf), 1) if causal else 0.0
        P = soft(unscaled / np.sqrt(d) + mask)
        flat_scale = "the scores are not divided by √d", "q kᵀ / √d, where d is the size of a query"
        wrong = "the softmax runs over the queries", "each query has weights that sum to 1: axis=2"
        y = {
            "scale_missing": Mistake(soft(unscaled + mask) @ v, *flat_scale),
            "scale_squared": Mistake(
                soft(unscaled / d + mask) @ v, "the scores are divided by d", "by its root"
            ),
            "wrong_axis": Mistake(soft(unscaled / np.sqrt(d) + mask, 1) @ v, *wrong),
            "softmax_over_all": Mistake(soft(unscaled / np.sqrt(d) + mask, (0, 1, 2)) @ v, *wrong),
        }
        if causal:
            ahead = "steps see what comes behind them", "mask above the diagonal, k > t, by -∞"
            zeroed = P * 0 + np.tril(soft(unscaled / np.sqrt(d)))
            y |= {
                "future_seen": Mistake(soft(unscaled / np.sqrt(d)) @ v, *ahead),
                "itself_hidden": Mistake(
                    soft(unscaled / np.sqrt(d) + np.triu(np.full(mask.shape, -1e9))) @ v,
                    "a step does not see itself",
                    "-∞ above the diagonal alone: np.triu(..., 1)",
                ),
                "not_normalized": Mistake(
                    zeroed @ v, "weights are set to 0 after the softmax", "-∞ before it"
                ),
            }
        if dy is None:
            return {"y": y}
        dP = dy @ v.swapaxes(1, 2)
        sums = (dP * P).sum(axis=2, keepdims=True)
        forms = {
            "sum_missing": (P * dP, "the softmax is taken for a map of single elements",
                            "dS = P ∘ (dP - Σ dP ∘ P), with a sum for each query"),
            "diagonal_jacobian": (P * (1 - P) * dP, "only the diagonal of the softmax's Jacobian",
                                  "dS = P ∘ (dP - Σ dP ∘ P)"),
            "weights_missing": (dP - sums, "P is left out", "dS = P ∘ (dP - Σ dP ∘ P)"),
            "wrong_axis": (P * (dP - (dP * P).sum(axis=1, keepdims=True)), *wrong),
            "softmax_skipped": (dP, "the way back skips the softmax", "dS = P ∘ (dP - Σ dP ∘ P)"),
        }  # fmt: skip
        dS = P * (dP - sums)
        found = {"y": y, "dx[0]": {}, "dx[1]": {}, "dx[2]": {}}
        for code, (form, *words) in forms.items():
            found["dx[0]"][code] = Mistake(form @ k / np.sqrt(d), *words)
            found["dx[1]"][code] = Mistake(form.swapaxes(1, 2) @ q / np.sqrt(d), *words)
        lost = "the division by √d is not in the gradient", "scores = q kᵀ / √d, so dq has it too"
        found["dx[0]"]["scale_missing"] = Mistake(dS @ k, *lost)
        found["dx[1]"]["scale_missing"] = Mistake(dS.swapaxes(1, 2) @ q, *lost)
        return found

    return mistakes


of_attention = layer_items(
    "Attention",
    nn.Attention,
    inputs=(normal(3, 6), normal(5, 6), normal(5, 8)),
    large=Large((normal(4, 20_000), normal(5, 20_000), normal(5, 3))),
    extreme=((normal(3, 6, scale=60.0), normal(5, 6, scale=60.0), normal(5, 8)),),
    mistakes=attention_mistakes(),
    names=("y", "dq", "dk", "dv"),
)
of_causal = layer_items(
    "Attention",
    nn.Attention,
    args=(True,),
    inputs=(normal(5, 6), normal(5, 6), normal(5, 8)),
    large=Large((normal(4, 20_000), normal(4, 20_000), normal(4, 3)), args=(True,)),
    mistakes=attention_mistakes(causal=True),
    names=("y", "dq", "dk", "dv"),
)
attention_forward = of_attention.value()
attention_backward = of_attention.dx()
attention_causal = of_causal.value(), of_causal.dx()


# The end of a sequence, and all together --------------------------------------------------------


def last_mistakes(case):
    x, dy = case.x, case.dy
    found = {"y": {"first_step": Mistake(x[:, 0], "this is the first step", "x[:, -1]")}}
    if dy is None:
        return found
    first = np.zeros(x.shape)
    first[:, 0] = dy
    every = np.broadcast_to(dy[:, np.newaxis], x.shape)
    words = "dy is given to every step", "only the last one was looked at: zeros elsewhere"
    found["dx"] = {
        "every_step": Mistake([every, every / x.shape[1]], *words),
        "first_step": Mistake(first, "dy is given to the first step", "dx[:, -1] = dy"),
    }
    return found


of_last = layer_items(
    "LastStep",
    nn.LastStep,
    inputs=normal(6, 5),
    large=Large(normal(300, 60), batch=9),
    mistakes=last_mistakes,
)
last_step = of_last.value(), of_last.dx()

training = training_check(
    model=("Reader", (5, 8, 4)),
    make=lambda n_in, hidden, classes: nn.Sequential(
        nn.RNN(n_in, hidden, rng=0), nn.LastStep(), nn.Linear(hidden, classes, rng=1)
    ),
    loss=("SoftmaxCrossEntropy", nn.SoftmaxCrossEntropy),
    optimizer=("SGD", nn.SGD, {"learning_rate": 0.3}),
    inputs=(normal(7, 5), labels(4)),
    remedy="a recurrent layer, its last step, and Linear",
)
