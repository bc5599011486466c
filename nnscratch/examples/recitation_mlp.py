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


def main() -> float:
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
    W1, W2, W3 = (model.params[f"{i}.W"] for i in (0, 2, 4))
    b1, b2, b3 = (model.params[f"{i}.b"][:, np.newaxis] for i in (0, 2, 4))
    x = rng.normal(size=(SIZES[0], 1))
    d_output = rng.normal(size=(1, SIZES[3]))  # given: the row ∇_output L

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
    d_z7 = d_output
    d_b3 = d_output
    d_W3 = z6 @ d_z7
    d_z6 = d_z7 @ W3
    d_z5 = d_z6 * (z5 > 0).T
    d_z4 = d_z5
    d_b2 = d_z5
    d_W2 = z3 @ d_z4
    d_z3 = d_z4 @ W2
    d_z2 = d_z3 * (z2 > 0).T
    d_b1 = d_z2
    d_z1 = d_z2
    d_W1 = x @ d_z1
    d_x = d_z1 @ W1

    # The layers: the model as it is, and again with a step per layer, for the z in between
    y = model.forward(x[:, 0])
    dx, grads = model.backward(d_output[0])
    dz = gradients_between(model, x[:, 0], d_output[0])
    table = [
        ("z7", "∇output", "2(b) vector addition", d_z7, dz[7]),
        ("b3", "∇output", "2(b) vector addition", d_b3, grads["4.b"]),
        ("W3", "z6 ∇z7", "1(b) matrix multiplication", d_W3, grads["4.W"]),
        ("z6", "∇z7 W3", "1(b) matrix multiplication", d_z6, dz[6]),
        ("z5", "∇z6 ∘ 1(z5)ᵀ", "6 element-wise function", d_z5, dz[5]),
        ("z4", "∇z5", "2(b) vector addition", d_z4, dz[4]),
        ("b2", "∇z5", "2(b) vector addition", d_b2, grads["2.b"]),
        ("W2", "z3 ∇z4", "1(b) matrix multiplication", d_W2, grads["2.W"]),
        ("z3", "∇z4 W2", "1(b) matrix multiplication", d_z3, dz[3]),
        ("z2", "∇z3 ∘ 1(z2)ᵀ", "6 element-wise function *", d_z2, dz[2]),
        ("b1", "∇z2", "2(b) vector addition", d_b1, grads["0.b"]),
        ("z1", "∇z2", "2(b) vector addition", d_z1, dz[1]),
        ("W1", "x ∇z1", "1(b) matrix multiplication", d_W1, grads["0.W"]),
        ("x", "∇z1 W1", "1(b) matrix multiplication", d_x, dx),
    ]
    print("     by   is              rule                         shape    against the layers")
    worst = float(np.abs(output[:, 0] - y).max())
    for number, (by, formula, rule, row, gradient) in enumerate(table, 1):
        difference = float(np.abs(row - gradient.T).max())
        worst = max(worst, difference)
        print(
            f"{number:3}. ∇{by:<3} {formula:<15} {rule:<28} {row.shape!s:<8} {difference:.0e}",
            *(f"\n{'':9}{row_of(numbers)}" for numbers in row),
            sep="",
        )
    print("  *  the slides print the mask 1(z5), of the other ReLU")
    print(f"largest difference {worst:.0e}: {'agrees' if worst < 1e-12 else 'DIFFERS'}")
    return worst


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
