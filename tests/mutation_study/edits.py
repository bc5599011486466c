"""Small edits at any place of the source, most of which are no mistake that has a name.

For some the name is known (`NAMES_OF_EDITS`), and must be given. For others a name is true if it is
given, by what the edit does to the formula: where `dy * f` becomes `f`, dy is left out, whatever
else the formula is made of. `true_of_edit` lists these; that none is given is no fault, as the
numbers need not show it.
"""

import ast

from tests.mutation_study.sites import MAPS

FACTORS = {
    *("sign", "factor", "factor_2", "factor_half", "factor_n", "factor_1_n"),
    *("factor_minus_n", "factor_minus_1_n", "averaged_over_space"),
}
DY = ("dy", "dY", "dA", "dB", "dh", "dc", "share", "dz", "dnext", "upstream")


def edits(site):
    """Edits by a rule that knows no mistake; few of them have a name."""
    node = site.node
    if site.name in ("Sequential", "Residual", "Concatenate") or "ndim" in site.source:
        return  # their numbers count layers and axes
    if isinstance(node, ast.BinOp):
        gradient = (
            site.returned
            and site.function == "backward_pass"
            and site.name in (*MAPS, "Mul", "Div", "Mean")
        )
        first = gradient and ast.unparse(node.left) == "dy"
        for old, new in (
            (ast.Add, ast.Sub),
            (ast.Sub, ast.Add),
            (ast.Mult, ast.Div),
            (ast.Div, ast.Mult),
            (ast.Mult, ast.Add),
        ):
            if isinstance(node.op, old):
                upside = first and {old, new} == {ast.Mult, ast.Div}
                edited = ast.BinOp(node.left, new(), node.right)
                yield "edit", edited, names_of_edit(site, edited, {"reciprocal"} if upside else ())
        ignored = {"dy_ignored"} if isinstance(node.op, ast.Mult) else ()
        for rest, names in ((node.left, {"missing_derivative"}), (node.right, ignored)):
            yield "edit", rest, names_of_edit(site, rest, names if first else ())
    if isinstance(node, ast.Constant) and type(node.value) is int:
        edited = ast.Constant(node.value + 1)
        yield "edit", edited, names_of_edit(site, edited, ())
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Gt):
        mask = not site.source.startswith(("len(", "self."))  # those count axes and parts
        edited = ast.Compare(node.left, [ast.LtE()], node.comparators)
        yield "edit", edited, {"inverted_mask"} if mask else set()


def names_of_edit(site, edited, names):
    return set(names) | NAMES_OF_EDITS.get(
        (site.name, f"{site.source} -> {ast.unparse(edited)}"), set()
    )


def true_of_edit(node, edited):
    """The names that are true of an edit, by what becomes of an operator."""
    if not isinstance(node, ast.BinOp):
        return set()
    left, right = (_speaks_of_dy(part) for part in (node.left, node.right))
    if isinstance(node.op, (ast.Mult, ast.Div)):
        if edited is not node.left and edited is not node.right:
            upside = type(edited.op) in (ast.Mult, ast.Div)
            return {"reciprocal", *FACTORS} if upside else set()
        kept, lost = (left, right) if edited is node.left else (right, left)
        if lost and not kept:
            return {"dy_ignored"}
        return {"missing_derivative", *FACTORS} if kept else set(FACTORS)
    if isinstance(node.op, (ast.Add, ast.Sub)) and edited in (node.left, node.right):
        bare = isinstance(edited, ast.Name) and _speaks_of_dy(edited)
        names = {"path_missing", "missing_derivative"} if bare else {"path_missing"}
        return names if left or right else set()
    return set()


def _speaks_of_dy(node):
    return any(isinstance(n, ast.Name) and n.id in DY for n in ast.walk(node))


# What remains of the formula by these edits is a mistake that has a name.
NAMES_OF_EDITS = {
    ("Linear", "0 -> 1"): {"wrong_axis"},
    ("Bias", "0 -> 1"): {"wrong_axis"},
    ("Sigmoid", "y * (1 - y) -> y + (1 - y)"): {"missing_derivative"},  # y + 1 - y is 1
    ("Tanh", "1 - y * y -> 1"): {"missing_derivative"},
    ("Tanh", "1 -> 2"): {"path_added"},  # dy (1 - y²) + dy
    ("ReLU", "dy * (y > 0) -> y > 0"): {"dtype"},  # a mask of bool
    (
        "LeakyReLU",
        "dy.dtype.type(self.slope) * ~positive -> ~positive",
    ): {"missing_derivative"},  # 1 on both sides
    ("Softmax", "dy - summed(dy * y, self.axis, keepdims=True) -> dy"): {"sum_missing"},
    ("Softmax", "dy * y -> y"): {"sum_missing"},  # the sum of y is 1
    ("LogSoftmax", "dy - np.exp(y) * summed(dy, self.axis, keepdims=True) -> dy"): {
        "missing_derivative"
    },
    ("LogSoftmax", "np.exp(y) * summed(dy, self.axis, keepdims=True) -> np.exp(y)"): {
        "sum_missing"
    },
    ("Square", "2 * x -> x"): {"factor_half"},
    ("Square", "2 -> 3"): {"factor"},
    ("Power", "self.exponent * np.power(x, self.exponent - 1) -> np.power(x, self.exponent - 1)"): {
        "factor"
    },
    ("Sqrt", "2 * y -> y"): {"factor_2"},
    ("Sqrt", "2 -> 3"): {"factor"},
    ("Dropout", "dy * mask -> dy"): {"missing_derivative"},
    ("Dropout", "dy * mask -> mask"): {"dy_ignored"},
    ("Mean", "dy * (1 / max(int(count), 1)) -> dy"): {"factor_n"},
    ("Mean", "dy * (1 / max(int(count), 1)) -> 1 / max(int(count), 1)"): {"dy_ignored"},
    ("Mean", "1 / max(int(count), 1) -> 1"): {"factor_n"},
    ("Mean", "1 -> 2"): {"factor_2"},
    ("Mul", "dy * v -> dy / v"): {"reciprocal"},
    ("Mul", "dy * u -> dy / u"): {"reciprocal"},
    ("Mul", "dy * v -> dy"): {"missing_derivative"},
    ("Mul", "dy * u -> dy"): {"missing_derivative"},
    ("Mul", "dy * v -> v"): {"dy_ignored"},
    ("Mul", "dy * u -> u"): {"dy_ignored"},
    ("Div", "dy / v -> dy * v"): {"reciprocal"},
    ("Div", "dy / v -> dy"): {"missing_derivative"},
    ("Determinant", "_per_matrix(dy) * _cofactors(x) -> _cofactors(x)"): {"dy_ignored"},
    ("_MaxPool", "dy * mask.astype(dy.dtype) -> mask.astype(dy.dtype)"): {"dy_ignored"},
    (
        "_AvgPool",
        "samples_last(dy) / self._counts(shape, dy.dtype) -> "
        "samples_last(dy) * self._counts(shape, dy.dtype)",
    ): {"factor"},
    ("GlobalAvgPool", "dy / prod(space) -> dy"): {"factor_n"},
    ("HardSigmoid", "6 -> 7"): {"factor"},
    ("PReLU", "dy * np.minimum(x, 0) -> dy"): {"missing_derivative"},
    ("PReLU", "self._along(x) * ~positive -> ~positive"): {"missing_derivative"},  # 1 everywhere
    (
        "ELU",
        "self.alpha * np.exp(np.minimum(x, 0)) * ~positive -> ~positive",
    ): {"missing_derivative"},
    ("Clip", "dy * ((x >= low) & (x <= high)) -> dy"): {"missing_derivative"},
    ("RMSNorm", "dY * X -> X"): {"dy_ignored", "mutated_input"},
    ("RMSNorm", "dY * X -> dY"): {"mutated_dy"},  # and what follows is written into dy
    ("RNNCell", "1 - y * y -> 1"): {"missing_derivative"},
    ("BatchNorm", "scale * self._gamma() -> self._gamma()"): {"deviation_missing"},
    # dy / W for every row of an image is the sum of dy / (H W) over a column
    ("GlobalAvgPool", "2 -> 3"): {"summed_too_far"},
    (
        "HardSwish",
        "(near / 3 + 0.5) * (np.abs(x) < 3) -> near / 3 + 0.5 + (np.abs(x) < 3)",
    ): {"path_added"},  # 1 in the middle
    ("LayerNorm", "dY * X -> dY"): {"mutated_dy"},
    ("LayerNorm", "dY * X -> X"): {"mutated_input"},  # and what follows is written into it
    ("NLLLoss", "1 -> 2"): {"factor_2"},  # -2 at the label
    ("BCEWithLogits", "p - yes -> p + yes"): {"target_added"},
    ("BCEWithLogits", "p - yes -> p"): {"target_missing"},
    ("HardSwish", "(near / 3 + 0.5) * (np.abs(x) < 3) -> np.abs(x) < 3"): {
        "missing_derivative"  # 1 in the middle
    },
    (
        "Softmax",
        "dy - summed(dy * y, self.axis, keepdims=True) -> "
        "dy + summed(dy * y, self.axis, keepdims=True)",
    ): {"sum_added"},
    (
        "LogSoftmax",
        "dy - np.exp(y) * summed(dy, self.axis, keepdims=True) -> "
        "dy + np.exp(y) * summed(dy, self.axis, keepdims=True)",
    ): {"sum_added"},
}
