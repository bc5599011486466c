"""What the grader asks in hw1_operators, and what the library answers."""

import copy

import numpy as np

import nnscratch as nn
from nnscratch.grading.checks import check
from nnscratch.grading.draws import Large, away, fixed
from nnscratch.grading.evidence import Mistake, Reference, claim, compare, draw_dy
from nnscratch.grading.function_items import function_items
from nnscratch.grading.layer_items import layer_items
from nnscratch.layers.operators.arithmetic import sum_to_shape

# Broadcasting -----------------------------------------------------------------------------------


def summed(gradient, shape):
    return sum_to_shape(gradient, tuple(shape), gradient.dtype)


def stretch(wide, shape):
    return fixed(*wide), lambda rng, batch: shape


def unbroadcast_mistakes(case):
    gradient, shape = case.inputs
    averaged = "the copies are averaged", "each copy adds its whole gradient"
    # for every element of the shape its copies' gradients
    size = int(np.prod(shape))
    origins = np.broadcast_to(np.arange(size).reshape(shape), gradient.shape).ravel()
    copies = np.array([gradient.ravel()[origins == i] for i in range(size)])
    return {
        "averaged": Mistake(case.y * case.y.size / gradient.size, *averaged),
        "one_sample": [copies[:, 0].reshape(shape), copies[:, -1].reshape(shape)],
    }


unbroadcast = function_items(
    "unbroadcast",
    summed,
    {
        "same shape": [stretch((4, 3), (4, 3))],
        "new leading axis": [
            stretch((4, 3), (3,)),
            stretch((5, 4, 3), (3,)),
            stretch((5, 4, 3), (4, 3)),
        ],
        "stretched last axis": [stretch((4, 3), (4, 1)), stretch((5, 4, 3), (5, 4, 1))],
        "stretched first axis": [stretch((4, 3), (1, 3)), stretch((5, 4, 3), (1, 4, 3))],
        "both": [stretch((5, 4, 3), (4, 1)), stretch((6, 5, 4, 3), (1, 4, 1))],
    },
    mistakes=unbroadcast_mistakes,
    context=lambda case: {"array": "dx", "inputs": (np.zeros(case.inputs[1]),)},
).value()


# Operators --------------------------------------------------------------------------------------


def two_operands(name, make, mistakes=lambda case: {}):
    shapes = [((4, 3), (3,)), ((4, 1), (4, 3)), ((3,), (5, 4, 1))]
    return layer_items(
        name,
        make,
        inputs=(away(3), away(3)),
        also={f"u {u}, v {v}": (fixed(*u), fixed(*v)) for u, v in shapes},
        large=Large((away(300), fixed(300)), batch=200),
        mistakes=mistakes,
        names=("y", "du", "dv"),
        given={"unbroadcast": summed},
    )


def div_mistakes(case):
    (u, v), dy, rule = case.inputs, case.dy, "∂(u/v)/∂v = -u/v²"
    return {
        "dx[1]": {
            "square_missing": Mistake(summed(-dy * u / v, v.shape), "v is not squared", rule),
            "numerator_missing": Mistake(summed(-dy / v**2, v.shape), "u is left out", rule),
        }
    }


def matmul_mistakes(case):
    (A, B), dY = case.inputs, case.dy
    printed = (
        "a column or row is summed",
        "∂C_ij/∂A_ik is the element B_kj itself; the sum over j is dY Bᵀ",
    )
    of_A = (dY * B.sum(axis=0)).sum(axis=1, keepdims=True) + np.zeros(A.shape)
    of_B = (dY * A.sum(axis=1, keepdims=True)).sum(axis=0) + np.zeros(B.shape)
    turned = "a factor was reshaped where it should be transposed", "reshape keeps the order"
    return {
        "dx[0]": {
            "elements_summed": Mistake(of_A, *printed),
            "reshape_for_transpose": Mistake(dY @ B.reshape(B.shape[::-1]), *turned),
        },
        "dx[1]": {
            "elements_summed": Mistake(of_B, *printed),
            "reshape_for_transpose": Mistake(A.reshape(A.shape[::-1]) @ dY, *turned),
        },
    }


def one_operand(name, make, mistakes=lambda case: {}):
    large = Large(away(300), batch=200)
    return layer_items(name, make, inputs=away(3), large=large, mistakes=mistakes)


def cos_mistakes(case):
    words = "dx has the wrong sign", "the derivative of cos is -sin, also where sin is printed"
    other = "this is the derivative of the sine", "that of cos is -sin x"
    dy, x = case.dy, case.x
    return {
        "dx": {
            "sign": Mistake(dy * np.sin(x), *words),
            "other_derivative": Mistake([dy * np.cos(x), -dy * np.cos(x)], *other),
        }
    }


def sin_mistakes(case):
    words = "this is the sine itself", "its derivative is cos x"
    of_y = case.dy * case.y
    return {"dx": {"other_derivative": Mistake([of_y, -of_y], *words)}}


of_add, of_sub = two_operands("Add", nn.Add), two_operands("Sub", nn.Sub)
of_mul, of_div = two_operands("Mul", nn.Mul), two_operands("Div", nn.Div, div_mistakes)
of_matmul = layer_items(
    "MatMul",
    nn.MatMul,
    inputs=(away(3), fixed(3, 5)),
    large=Large((away(50_000), fixed(50_000, 5))),
    mistakes=matmul_mistakes,
    names=("Y", "dA", "dB"),
)
of_sin, of_cos = one_operand("Sin", nn.Sin, sin_mistakes), one_operand("Cos", nn.Cos, cos_mistakes)
add, sub = (of_add.value(), of_add.dx()), (of_sub.value(), of_sub.dx())
mul, div = (of_mul.value(), of_mul.dx()), (of_div.value(), of_div.dx())
matmul = of_matmul.value(), of_matmul.dx()
sin, cos = (of_sin.value(), of_sin.dx()), (of_cos.value(), of_cos.dx())


# The checker ------------------------------------------------------------------------------------


def f(c, x):
    """Σ c ∘ sin x + ½ (Σ x)², where every element has to do with every other."""
    return float(np.sum(c * np.sin(x)) + 0.5 * np.sum(x) ** 2)


def asked(c):
    """f for the student's code, which cannot see c: it is computed here."""

    def ask(x):
        if np.shape(x) != c.shape:
            raise ValueError(f"f takes an array of shape {c.shape}, received {np.shape(x)}")
        return f(c, np.asarray(x, np.float64))

    return ask


def differences(c, x, h, slope):
    """slope(f(x + h e), f(x), f(x - h e)) for every element."""
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[index] = h
        gradient[index] = slope(f(c, x + e), f(c, x), f(c, x - e))
    return gradient


def central(c, x, h, moved, restore=True):
    """Central differences on an array that takes what is written as its dtype does."""
    moved, gradient = moved.copy(), np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        here = moved[index]
        moved[index] = here + h
        above = f(c, moved)
        moved[index] = here - h
        gradient[index] = (above - f(c, moved)) / (2 * h)
        if restore:
            moved[index] = here
    return gradient


def rows(c, x, h):
    """Central differences with all elements of a row moved together."""
    gradient = np.zeros(x.shape)
    for i in range(len(x)):
        e = np.zeros(x.shape)
        e[i] = h
        gradient[i] = (f(c, x + e) - f(c, x - e)) / (2 * h)
    return gradient


def numeric_mistakes(c, x, h):
    rule = "(f(x + h e) - f(x - h e)) / 2h"
    one_sided = [
        differences(c, x, h, lambda above, here, below: (above - here) / h),
        differences(c, x, h, lambda above, here, below: (here - below) / h),
    ]
    doubled = differences(c, x, h, lambda above, here, below: (above - below) / h)
    plain = differences(c, x, h, lambda above, here, below: above - below)
    return {
        "rows_moved": Mistake(
            rows(c, x, h),
            "all elements of a row are moved together",
            "np.ndindex(x.shape) lists the indices of single elements",
        ),
        "one_sided": Mistake(
            one_sided,
            "the difference is taken on one side, with an error that shrinks only like h",
            rule,
        ),
        "divided_by_h": Mistake(
            doubled, "the difference is divided by h", "the two points are 2h apart"
        ),
        "not_divided": Mistake(plain, "the difference is not divided", rule),
        "not_restored": Mistake(
            central(c, x, h, x, restore=False),
            "an element stays where it was moved while the next is looked at",
            "move one element at a time, and put it back",
        ),
    }


@check("numeric_gradient", tolerance=1e-5)
def numeric_gradient(student, rng):
    h = 1e-3
    kinds = {1: "vector", 2: "matrix", 3: "three axes"}
    for shape in [(3,), (5,), (4, 3), (3, 4, 5)]:
        x, c = rng.normal(size=shape), draw_dy(rng, shape)
        got = student.function("numeric_gradient", student.callback(asked(c)), x, h)
        mistakes = numeric_mistakes(c, x, h)
        yield compare(f"f'({kinds[len(shape)]})", got, right_gradient(c, x), mistakes)
    for shape in [(4,), (5, 3)]:
        x, c = rng.integers(-9, 10, shape), draw_dy(rng, shape)
        x[x == 0] = 4
        whole = Mistake(
            [central(c, x, h, x.astype(np.int64)), np.zeros(shape)],
            "x ± h was rounded to a whole number",
            "move a copy of x in float64",
        )
        got = student.function("numeric_gradient", student.callback(asked(c)), x, h)
        right = right_gradient(c, x.astype(np.float64))
        yield compare("f'(whole numbers)", got, right, {"rounded_steps": whole})


def right_gradient(c, x):
    """The exact gradient of f; differences come near enough to it."""
    return Reference(nn.Sin()).backward(x, dy=c)["dx"] + x.sum()


class Operator:
    """An operator that is judged: computed here, so that nothing shows which one it is.

    Parameters
    ----------
    forward : function of the inputs
    backward : function of (dy, *inputs)
    """

    def __init__(self, forward, backward, count):
        self._forward, self._backward, self.count = forward, backward, count
        self.inputs = self.first = None
        self.moved = False  # whether backward came after a forward of other inputs

    def forward(self, *inputs):
        if len(inputs) != self.count:
            raise ValueError(f"forward takes {self.count} arrays, received {len(inputs)}")
        self.inputs = inputs
        self.first = self.first or inputs
        return self._forward(*inputs)

    def backward(self, dy):
        if self.inputs is None:
            raise RuntimeError("backward came before forward")
        if np.shape(dy) != np.shape(self._forward(*self.inputs)):
            raise ValueError(f"backward received dy of shape {np.shape(dy)}, not that of y")
        self.moved |= not all(map(np.array_equal, self.inputs, self.first))
        return self._backward(dy, *self.inputs)


def product(scale=1.0, of_u=1.0, of_v=1.0, du=lambda du: du):
    """y = scale · u ∘ v, its gradients multiplied by factors, and du changed."""
    return Operator(
        lambda u, v: scale * u * v,
        lambda dy, u, v: (du(scale * dy * v * of_u), scale * dy * u * of_v),
        2,
    )


def cosine(sign):
    return Operator(np.cos, lambda dy, x: sign * dy * np.sin(x), 1)


def centre(factor):
    return Operator(lambda x: x - x.mean(), lambda dy, x: factor * (dy - dy.mean()), 1)


ONE_WRONG = np.ones((4, 3))
ONE_WRONG[-1, -1] = 300.0
ORDER = np.roll(np.arange(12), 5)
RIGHT = {
    "product": (product(), "y = u ∘ v with du = dy ∘ v, dv = dy ∘ u, which are right"),
    "large": (product(1e6), "the right gradients of y = 10⁶ u ∘ v"),
    "small": (product(1e-9), "the right gradients of y = 10⁻⁹ u ∘ v"),
    "-sin": (cosine(-1.0), "cos with the derivative -sin, which is right"),
    "centre": (centre(1.0), "the right gradient of y = x - mean x"),
}
WRONG = {
    "sin": (cosine(1.0), "cos with the derivative sin"),
    "du": (product(of_u=2.0), "y = u ∘ v with twice the right du"),
    "dv": (product(of_v=2.0), "y = u ∘ v with twice the right dv"),
    "percent": (product(of_u=1.01, of_v=1.01), "y = u ∘ v with gradients that are 1 % too large"),
    "small and wrong": (product(1e-9, 2.0, 2.0), "y = 10⁻⁹ u ∘ v with twice the right gradients"),
    "zeros": (centre(0.0), "y = x - mean x with a gradient of zeros"),
    "nan": (product(of_u=np.nan), "a gradient of NaN"),
    "order": (
        product(du=lambda du: du.ravel()[ORDER].reshape(du.shape)),
        "the right numbers at other places",
    ),
    "element": (product(of_u=ONE_WRONG), "a gradient with one wrong element"),
    "shape": (product(du=lambda du: du[np.newaxis]), "a gradient with an axis too many"),
}
OPERATORS = RIGHT | WRONG


# It runs beside the student's code, as what it differentiates is theirs.
NUMERIC = """
import numpy as np


def numeric_gradient(f, x, h=1e-4):
    flat, slopes = np.ravel(x).astype(np.float64), []
    for unit in h * np.eye(flat.size):
        above, below = (f((flat + s * unit).reshape(x.shape)) for s in (1, -1))
        slopes.append((above - below) / (2 * h))
    return np.reshape(slopes, x.shape)
"""


@check("check_gradients", given={"numeric_gradient": NUMERIC})
def check_gradients(student, rng):
    u, v = draw_dy(rng, (4, 3)), draw_dy(rng, (4, 3))
    x = rng.uniform(0.5, 2.5, (4, 3))  # where neither sin nor cos is 0 everywhere
    misjudged, moved = set(), False
    for name in rng.permutation(list(OPERATORS)):
        operator = copy.copy(OPERATORS[name][0])
        inputs = (u, v) if operator.count == 2 else (x,)
        stand_in = student.operator(forward=operator.forward, backward=operator.backward)
        verdict = student.function("check_gradients", stand_in, *inputs)
        if not isinstance(verdict, (bool, np.bool_)):
            kind = type(verdict).__name__
            yield claim("check_gradients", False, "type", f"it returned a {kind}", "True or False")
            return
        moved |= operator.moved
        if bool(verdict) != (name in RIGHT):
            misjudged.add(str(name))
    code, cause, remedy = AFTER_FORWARDS if moved else why(misjudged)
    listed = [
        f"{'rejects' if name in RIGHT else 'accepts'} {words}"
        for name, (_, words) in OPERATORS.items()
        if name in misjudged
    ]
    yield claim("check_gradients", not misjudged, code, "\n".join([*listed, cause]), remedy)


AFTER_FORWARDS = (
    "backward_after_forwards",
    "backward is called after forward ran on moved inputs, and belongs to those",
    "call it right behind forward(*inputs), before the numeric gradients",
)


def why(misjudged):
    """(code, cause, remedy) for a set of wrong verdicts."""
    if misjudged == set(WRONG):
        return "accepts_everything", "no gradient is rejected", "compare, and return the outcome"
    if misjudged == set(RIGHT):
        return "rejects_everything", "no gradient is accepted", "print both gradients of one case"
    for code, (least, most, cause, remedy) in VERDICTS.items():
        if least <= misjudged <= most:
            return code, cause, remedy
    if misjudged <= set(WRONG):
        return "accepts_wrong", "wrong gradients are accepted", "compare every element"
    if misjudged <= set(RIGHT):
        return "rejects_right", "right gradients are rejected", "print both gradients of one case"
    return "misjudges", "some verdicts are wrong", "print both gradients of one case"


# Which verdicts a mistake gets wrong: at least these, at most those
LAST_ONLY = {"du", "nan", "order", "element", "shape"}
VERDICTS = {
    "single_input": (
        {"-sin", "centre"},
        {"-sin", "centre"},
        "operators of one input are rejected",
        "their backward returns one array, no tuple",
    ),
    "first_input_only": ({"dv"}, {"dv"}, "only the first input is checked", "check each"),
    "last_input_only": (
        LAST_ONLY,
        LAST_ONLY,
        "only the last input decides",
        "return False at the first that is wrong, True at the end",
    ),
    "tolerance_too_loose": (
        {"percent"},
        {"percent", "element"},
        "the tolerance is too loose",
        "central differences are right to some 9 digits, so 1e-5 is wide",
    ),
    "absolute_tolerance": (
        set(),
        {"large", "small and wrong"},
        "the tolerance does not grow and shrink with the gradient",
        "multiply it by the largest element; np.allclose adds 1e-8 unless atol=0",
    ),
    "sign_ignored": ({"sin"}, {"sin"}, "the sign is ignored", "abs of the difference, last"),
    "uniform_dy": (
        {"zeros"},
        {"zeros", "centre"},
        "dy is the same everywhere, and hides what sums to zero",
        "draw it at random",
    ),
    "sums_compared": (
        {"order"},
        {"order", "zeros", "centre"},
        "sums or means are compared, in which errors cancel",
        "compare element by element",
    ),
    "nan_accepted": (
        {"nan"},
        {"nan"},
        "NaN is accepted, as NaN > tolerance is False",
        "ask what is right instead: not (difference <= tolerance)",
    ),
    "elements_skipped": (
        {"element"},
        {"element"},
        "not every element is compared",
        "take the largest difference",
    ),
    "shape_ignored": ({"shape"}, {"shape"}, "the shape is not compared", "compare shapes first"),
}
