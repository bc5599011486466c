"""The MLP of [Recitation] in its eight unary and binary steps, and its fourteen derivatives.

One sample is a column, as on the slides, and ∇_v L has the shape of v transposed: a row for a
column, (M, N) for W of shape (N, M). The layers return gradients in the shape of the variable, so
each is transposed before it is compared.

Line 10 of the slides has the mask 1(z_5), that of the second ReLU; it is 1(z_2), which also has
the fitting size. At 0 both ReLUs have the derivative 0.
"""

import numpy as np

import nnscratch as nn

SIZES = (4, 5, 3, 2)  # of x, z_3, z_6 and the output: all different, so that shapes tell

# In the order of the backward pass: what is derived by, the formula on the slides, the rule
DERIVATIVES = (
    ("z7", "∇output", "2(b) vector addition"),
    ("b3", "∇output", "2(b) vector addition"),
    ("W3", "z6 ∇z7", "1(b) matrix multiplication"),
    ("z6", "∇z7 W3", "1(b) matrix multiplication"),
    ("z5", "∇z6 ∘ 1(z5)ᵀ", "6 element-wise function"),
    ("z4", "∇z5", "2(b) vector addition"),
    ("b2", "∇z5", "2(b) vector addition"),
    ("W2", "z3 ∇z4", "1(b) matrix multiplication"),
    ("z3", "∇z4 W2", "1(b) matrix multiplication"),
    ("z2", "∇z3 ∘ 1(z2)ᵀ", "6 element-wise function *"),
    ("b1", "∇z2", "2(b) vector addition"),
    ("z1", "∇z2", "2(b) vector addition"),
    ("W1", "x ∇z1", "1(b) matrix multiplication"),
    ("x", "∇z1 W1", "1(b) matrix multiplication"),
)


def main() -> float:
    model, x, d_output = model_and_sample()
    output, rows = derivatives_by_hand(model, x, d_output)
    y = model.forward(x[:, 0])
    found = derivatives_of_layers(model, x[:, 0], d_output[0])
    print("     by   is              rule                         shape    against the layers")
    worst = float(np.abs(output[:, 0] - y).max())
    for number, (by, formula, rule) in enumerate(DERIVATIVES, 1):
        row = rows[by]
        difference = float(np.abs(row - found[by].T).max())
        worst = max(worst, difference)
        print(
            f"{number:3}. ∇{by:<3} {formula:<15} {rule:<28} {row.shape!s:<8} {difference:.0e}",
            *(f"\n{'':9}{row_of(numbers)}" for numbers in row),
            sep="",
        )
    print("  *  the slides print the mask 1(z5), of the other ReLU")
    print(f"largest difference {worst:.0e}: {'agrees' if worst < 1e-12 else 'DIFFERS'}")
    return worst


def model_and_sample() -> tuple[nn.Sequential, np.ndarray, np.ndarray]:
    """The net in float64 with biases, one sample as a column, and ∇_output L as a row."""
    rng = np.random.default_rng(3)
    model = nn.Sequential(
        nn.Linear(SIZES[0], SIZES[1], rng=rng),
        nn.ReLU(),
        nn.Linear(SIZES[1], SIZES[2], rng=rng),
        nn.ReLU(),
        nn.Linear(SIZES[2], SIZES[3], rng=rng),
    ).astype(np.float64)
    for i in ("0", "2", "4"):
        model.params[f"{i}.b"] = rng.normal(size=model.params[f"{i}.b"].shape)
    return model, rng.normal(size=(SIZES[0], 1)), rng.normal(size=(1, SIZES[3]))


def derivatives_by_hand(
    model: nn.Sequential, x: np.ndarray, d_output: np.ndarray
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The output, and the fourteen derivatives, rows as on the slides."""
    W1, W2, W3 = (model.params[f"{i}.W"] for i in (0, 2, 4))
    b1, b2, b3 = (model.params[f"{i}.b"][:, np.newaxis] for i in (0, 2, 4))

    # Forward, every step of one or two operands
    z1 = W1 @ x
    z2 = z1 + b1
    z3 = np.maximum(z2, 0)
    z4 = W2 @ z3
    z5 = z4 + b2
    z6 = np.maximum(z5, 0)
    z7 = W3 @ z6
    output = z7 + b3

    # Backward, the steps in reverse
    d: dict[str, np.ndarray] = {}
    d["z7"] = d_output
    d["b3"] = d_output
    d["W3"] = z6 @ d["z7"]
    d["z6"] = d["z7"] @ W3
    d["z5"] = d["z6"] * (z5 > 0).T
    d["z4"] = d["z5"]
    d["b2"] = d["z5"]
    d["W2"] = z3 @ d["z4"]
    d["z3"] = d["z4"] @ W2
    d["z2"] = d["z3"] * (z2 > 0).T
    d["b1"] = d["z2"]
    d["z1"] = d["z2"]
    d["W1"] = x @ d["z1"]
    d["x"] = d["z1"] @ W1
    return output, d


def derivatives_of_layers(
    model: nn.Sequential, x: np.ndarray, dy: np.ndarray
) -> dict[str, np.ndarray]:
    """The same from the model as it is, and for the z in between from a step per layer."""
    model.forward(x)
    dx, grads = model.backward(dy)
    found = {f"z{i}": dz for i, dz in enumerate(gradients_between(model, x, dy))}
    for number, i in enumerate((0, 2, 4), 1):
        found[f"W{number}"], found[f"b{number}"] = grads[f"{i}.W"], grads[f"{i}.b"]
    return found | {"x": dx}


def gradients_between(model: nn.Sequential, x: np.ndarray, dy: np.ndarray) -> list[np.ndarray]:
    """dL/dz_i for i = 0 to 8, with z_0 = x, from eight layers of one step each."""
    steps: list[nn.Layer] = []
    for layer in model:
        if isinstance(layer, nn.Linear):
            product = nn.Linear(layer.in_features, layer.out_features, bias=False)
            shift = nn.Bias(layer.out_features)
            steps += [product.astype(np.float64), shift.astype(np.float64)]
            product.params["W"], shift.params["b"] = layer.params["W"], layer.params["b"]
        else:
            steps.append(layer)
    for step in steps:
        x = step.forward(x)
    found = [dy]
    for step in reversed(steps):
        found.append(step.backward(found[-1])[0])
    return found[::-1]


def row_of(numbers: np.ndarray) -> str:
    return " ".join(f"{number + 0.0:9.4f}" for number in numbers)


if __name__ == "__main__":
    main()
