"""What the grader asks in hw1_operators, and what the library answers.

Sizes within a case are pairwise distinct; 1 appears only where it is stretched. Each operator
gets a large case, in which a numeric derivative takes one forward pair per element and too long.
Where every element of y depends on one element of each operand, a derivative by differences of
all elements at once cannot be told from a formula.
"""

from dataclasses import replace

import numpy as np

import nnscratch as nn
from nnscratch.grading.evidence import Mistake, Reference, claim, compare, draw_dy
from nnscratch.layers.operators.arithmetic import sum_to_shape

LARGE = (200, 300)


# Broadcasting -----------------------------------------------------------------------------------


def unbroadcast(student, rng):
    stretches = {
        "same shape": [((4, 3), (4, 3))],
        "new leading axis": [((4, 3), (3,)), ((5, 4, 3), (3,)), ((5, 4, 3), (4, 3))],
        "stretched last axis": [((4, 3), (4, 1)), ((5, 4, 3), (5, 4, 1))],
        "stretched first axis": [((4, 3), (1, 3)), ((5, 4, 3), (1, 4, 3))],
        "both": [((5, 4, 3), (4, 1)), ((6, 5, 4, 3), (1, 4, 1))],
    }
    for kind, cases in stretches.items():
        for wide, shape in cases:
            gradient = draw_dy(rng, wide)
            right = sum_to_shape(gradient, shape, gradient.dtype)
            share = right.size / gradient.size
            copies = np.moveaxis(_copies(gradient, shape), -1, 0)
            mistakes = {
                "averaged": Mistake(
                    share * right, "the copies are averaged", "each copy adds its whole gradient"
                ),
                "one_sample": [copies[0], copies[-1]],
            }
            got = student.function("unbroadcast", gradient, shape)
            name = f"unbroadcast, {kind}"
            yield compare(name, got, right, mistakes, array="dx", inputs=(np.zeros(shape),))


def _copies(gradient, shape):
    """For every element of the shape its copies' gradients along a new last axis."""
    size = int(np.prod(shape))
    origins = np.broadcast_to(np.arange(size).reshape(shape), gradient.shape).ravel()
    return np.array([gradient.ravel()[origins == i] for i in range(size)]).reshape((*shape, -1))


# Two operands -----------------------------------------------------------------------------------

SAME = [((4, 3), (4, 3)), ((4, 3), (4, 3)), ((5, 3), (5, 3))]
STRETCHED = [((4, 3), (3,)), ((4, 1), (4, 3)), ((3,), (5, 4, 1))]


def add(student, rng):
    yield from _two_operands(student, rng, "Add", nn.Add())


def sub(student, rng):
    yield from _two_operands(student, rng, "Sub", nn.Sub())


def mul(student, rng):
    yield from _two_operands(student, rng, "Mul", nn.Mul())


def div(student, rng):
    def mistakes(u, v, dy):
        rule = "∂(u/v)/∂v = -u/v²"
        not_squared = sum_to_shape(-dy * u / v, v.shape, v.dtype)
        without_u = sum_to_shape(-dy / v**2, v.shape, v.dtype)
        return {
            "dx[1]": {
                "square_missing": Mistake(not_squared, "v is not squared", rule),
                "numerator_missing": Mistake(without_u, "u is left out", rule),
            }
        }

    yield from _two_operands(student, rng, "Div", nn.Div(), mistakes)


def matmul(student, rng):
    def mistakes(A, B, dY):
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

    theirs, ours = student.new("MatMul"), Reference(nn.MatMul())
    for shapes in [((4, 3), (3, 5)), ((4, 3), (3, 5)), ((6, 3), (3, 5))]:
        yield from _case(theirs, ours, rng, shapes, ("Y", "dA", "dB"), mistakes)
    yield from _large(theirs, ours, rng, ((200, 150), (150, 100)), ("large dA", "large dB"))


def _two_operands(student, rng, name, layer, mistakes=None):
    student.replace("unbroadcast")
    theirs, ours = student.new(name), Reference(layer)
    for shapes in SAME:
        yield from _case(theirs, ours, rng, shapes, ("y", "du", "dv"), mistakes)
    for shapes in STRETCHED:
        where = "u {}, v {}".format(*shapes)
        names = (f"y for {where}", f"du for {where}", f"dv for {where}")
        for _ in range(2):
            yield from _case(theirs, ours, rng, shapes, names, mistakes)
    yield from _large(theirs, ours, rng, (LARGE, LARGE[1:]), ("large du", "large dv"))


def _case(theirs, ours, rng, shapes, names, mistakes=None):
    """y and both gradients for one pair of inputs, none of them near 0."""
    u, v = (draw_dy(rng, shape) for shape in shapes)
    y = theirs.call("forward", u, v)
    yield ours.value(y, u, v, name=names[0])
    dy = draw_dy(rng, np.shape(ours.forward(u, v)))
    du, dv = theirs.call("backward", dy, unpack=2)
    wrong = mistakes(u, v, dy) if mistakes else {}
    found = ours.gradients({"dx[0]": du, "dx[1]": dv}, u, v, dy=dy, hypotheses=wrong)
    for comparison, name in zip(found, names[1:], strict=True):
        yield _renamed(comparison, name, [n.split()[0][-1] for n in names[1:]])


def _large(theirs, ours, rng, shapes, names):
    """Both gradients of large inputs."""
    u, v = (draw_dy(rng, shape) for shape in shapes)
    dy = draw_dy(rng, np.shape(ours.forward(u, v)))
    theirs.call("forward", u, v, keep=True)
    right = ours.backward(u, v, dy=dy)
    got = theirs.call("backward", dy, unpack=2)
    for i, (name, gradient) in enumerate(zip(names, got, strict=True)):
        yield compare(name, gradient, right[f"dx[{i}]"])


def _renamed(comparison, name, operands):
    """dx[0] and dx[1] under the names that the task gives them."""
    keys = {"dx[0]": operands[0], "dx[1]": operands[1]}
    context = replace(
        comparison.context,
        shown=name,
        others={keys[k]: g for k, g in comparison.context.others.items()},
        returned={keys[k]: g for k, g in comparison.context.returned.items()},
    )
    return replace(comparison, name=name, context=context)


# One operand ------------------------------------------------------------------------------------


def sin(student, rng):
    yield from _one_operand(student, rng, "Sin", nn.Sin(), lambda x, dy: {})


def cos(student, rng):
    def mistakes(x, dy):
        words = "dx has the wrong sign", "the derivative of cos is -sin, also where sin is printed"
        return {"sign": Mistake(dy * np.sin(x), *words)}

    yield from _one_operand(student, rng, "Cos", nn.Cos(), mistakes)


def _one_operand(student, rng, name, layer, mistakes):
    theirs, ours = student.new(name), Reference(layer)
    for shape in [(4, 3), (4, 3), (5, 3)]:
        x, dy = rng.uniform(-3, 3, shape), draw_dy(rng, shape)
        yield ours.value(theirs.call("forward", x), x)
        got = {"dx": theirs.call("backward", dy)}
        yield from ours.gradients(got, x, dy=dy, hypotheses={"dx": mistakes(x, dy)})
    x, dy = rng.uniform(-3, 3, LARGE), draw_dy(rng, LARGE)
    theirs.call("forward", x, keep=True)
    yield compare("large dx", theirs.call("backward", dy), ours.backward(x, dy=dy)["dx"])


# The checker ------------------------------------------------------------------------------------


def numeric_gradient(student, rng):
    h = 1e-3
    kinds = {1: "vector", 2: "matrix", 3: "three axes"}
    for shape in [(3,), (5,), (4, 3), (3, 4, 5)]:
        x, c = rng.normal(size=shape), draw_dy(rng, shape)
        f = student.given("Function", c)
        mistakes = {code: Mistake(g(c, x, h), *words) for code, (g, *words) in WRONG.items()}
        got = student.function("numeric_gradient", f, x, h)
        yield compare(f"f'({kinds[len(shape)]})", got, _right(c, x), mistakes)
    for shape in [(4,), (5, 3)]:
        x, c = rng.integers(-9, 10, shape), draw_dy(rng, shape)
        x[x == 0] = 4
        f = student.given("Function", c)
        whole = Mistake(
            [_central(c, x, h, x.astype(np.int64)), np.zeros(shape)],
            "x ± h was rounded to a whole number",
            "move a copy of x in float64",
        )
        got = student.function("numeric_gradient", f, x, h)
        right = _right(c, x.astype(np.float64))
        yield compare("f'(whole numbers)", got, right, {"rounded_steps": whole})


def _right(c, x):
    """The exact gradient of given_function's f; differences come near enough to it."""
    return Reference(nn.Sin()).backward(x, dy=c)["dx"] + x.sum()


def _f(c, x):
    return np.sum(c * np.sin(x)) + 0.5 * np.sum(x) ** 2


def _differences(c, x, h, slope):
    """slope(f(x + h e), f(x), f(x - h e)) for every element."""
    gradient = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[place] = h
        gradient[place] = slope(_f(c, x + e), _f(c, x), _f(c, x - e))
    return gradient


def _central(c, x, h, moved, restore=True):
    """Central differences on an array that takes what is written as its dtype does."""
    moved, gradient = moved.copy(), np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        here = moved[place]
        moved[place] = here + h
        above = _f(c, moved)
        moved[place] = here - h
        gradient[place] = (above - _f(c, moved)) / (2 * h)
        if restore:
            moved[place] = here
    return gradient


RULE = "(f(x + h e) - f(x - h e)) / 2h"


def _rows(c, x, h):
    """Central differences with all elements of a row moved together."""
    gradient = np.zeros(x.shape)
    for i in range(len(x)):
        e = np.zeros(x.shape)
        e[i] = h
        gradient[i] = (_f(c, x + e) - _f(c, x - e)) / (2 * h)
    return gradient


WRONG = {
    "rows_moved": (
        _rows,
        "all elements of a row are moved together",
        "np.ndindex(x.shape) lists the places of single elements",
    ),
    "one_sided": (
        lambda c, x, h: [
            _differences(c, x, h, lambda above, here, below: (above - here) / h),
            _differences(c, x, h, lambda above, here, below: (here - below) / h),
        ],
        "the difference is taken on one side, with an error that shrinks only like h",
        RULE,
    ),
    "divided_by_h": (
        lambda c, x, h: _differences(c, x, h, lambda above, here, below: (above - below) / h),
        "the difference is divided by h",
        "the two points are 2h apart",
    ),
    "not_divided": (
        lambda c, x, h: _differences(c, x, h, lambda above, here, below: above - below),
        "the difference is not divided",
        RULE,
    ),
    "not_restored": (
        lambda c, x, h: _central(c, x, h, x, restore=False),
        "an element stays where it was moved while the next is looked at",
        "move one element at a time, and put it back",
    ),
}


def check_gradients(student, rng):
    student.replace("numeric_gradient")
    shape = (4, 3)
    u, v = draw_dy(rng, shape), draw_dy(rng, shape)
    x = rng.uniform(0.5, 2.5, shape)  # where neither sin nor cos is 0 everywhere
    one_wrong = np.ones(shape)
    one_wrong[-1, -1] = 300.0
    order = np.roll(np.arange(12), 5)
    product = {
        "product": {},
        "large": {"scale": 1e6},
        "small": {"scale": 1e-9},
        "du": {"of_u": 2.0},
        "dv": {"of_v": 2.0},
        "percent": {"of_u": 1.01, "of_v": 1.01},
        "small and wrong": {"scale": 1e-9, "of_u": 2.0, "of_v": 2.0},
        "nan": {"of_u": "nan"},
        "order": {"order": order},
        "element": {"of_u": one_wrong},
        "shape": {"axes": 1},
    }
    cases = {
        name: (student.given("Product", **numbers), (u, v)) for name, numbers in product.items()
    }
    cases["-sin"] = student.given("Cosine", -1.0), (x,)
    cases["sin"] = student.given("Cosine", 1.0), (x,)
    cases["centre"] = student.given("Centre", 1.0), (x,)
    cases["zeros"] = student.given("Centre", 0.0), (x,)
    misjudged = set()
    for name in rng.permutation(list(OPERATORS)):
        operator, inputs = cases[name]
        verdict = student.function("check_gradients", operator, *inputs)
        if not isinstance(verdict, (bool, np.bool_)):
            kind = type(verdict).__name__
            yield claim("check_gradients", False, "type", f"it returned a {kind}", "True or False")
            return
        if bool(verdict) != (name in RIGHT):
            misjudged.add(str(name))
    code, cause, remedy = _why(misjudged)
    shown = [f"{'accepts' if n not in RIGHT else 'rejects'} {OPERATORS[n]}" for n in OPERATORS]
    listed = [words for n, words in zip(OPERATORS, shown, strict=True) if n in misjudged]
    yield claim("check_gradients", not misjudged, code, "\n".join([*listed, cause]), remedy)


RIGHT = {"product", "large", "small", "-sin", "centre"}
OPERATORS = {
    "product": "y = u ∘ v with du = dy ∘ v, dv = dy ∘ u, which are right",
    "large": "the right gradients of y = 10⁶ u ∘ v",
    "small": "the right gradients of y = 10⁻⁹ u ∘ v",
    "-sin": "cos with the derivative -sin, which is right",
    "centre": "the right gradient of y = x - mean x",
    "sin": "cos with the derivative sin",
    "du": "y = u ∘ v with twice the right du",
    "dv": "y = u ∘ v with twice the right dv",
    "percent": "y = u ∘ v with gradients that are 1 % too large",
    "small and wrong": "y = 10⁻⁹ u ∘ v with twice the right gradients",
    "zeros": "y = x - mean x with a gradient of zeros",
    "nan": "a gradient of NaN",
    "order": "the right numbers at other places",
    "element": "a gradient with one wrong element",
    "shape": "a gradient with an axis too many",
}


def _why(misjudged):
    """(code, cause, remedy) for a set of wrong verdicts."""
    wrong = set(OPERATORS) - RIGHT
    if misjudged == wrong:
        return "accepts_everything", "no gradient is rejected", "compare, and return the outcome"
    if misjudged == RIGHT:
        return "rejects_everything", "no gradient is accepted", "print both gradients of one case"
    for code, (least, most, cause, remedy) in VERDICTS.items():
        if least <= misjudged <= most:
            return code, cause, remedy
    if misjudged <= wrong:
        return "accepts_wrong", "wrong gradients are accepted", "compare every element"
    if misjudged <= RIGHT:
        return "rejects_right", "right gradients are rejected", "look at the tolerance"
    return "misjudges", "some verdicts are wrong", "print both gradients of one case"


# Which verdicts a mistake gets wrong: at least these, at most those
VERDICTS = {
    "first_input_only": ({"dv"}, {"dv"}, "only the first input is checked", "check each"),
    "last_input_only": (
        {"du", "nan", "order", "element", "shape"},
        {"du", "nan", "order", "element", "shape"},
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
