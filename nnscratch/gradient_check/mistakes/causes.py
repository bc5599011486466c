"""The causes that the checker can name, in words and with the remedy.

`{g}` is the gradient as it is written (dx, dW), `{what}` what exactly was found.
"""

from __future__ import annotations

# code: (what is wrong, what to do)
CAUSES: dict[str, tuple[str, str]] = {
    # Nothing to compare
    "missing": ("there is no {g}", "return it, or leave it on the object as `{g}`"),
    "not_implemented": ("{what} is not implemented yet", "write it"),
    "exception": ("{what}", "read the error: it names what does not fit"),
    "none": ("{g} is None", "end backward with `return`, and compute {g}"),
    "type": ("{g} is {what}", "return a NumPy array"),
    "dtype": ("{g} has dtype {what}", "keep the dtype of the forward pass"),
    # Shapes
    "sum_over_batch": (
        "{g} still has the batch axis: one gradient for each sample",
        "all samples share the parameter, so sum over the batch",
    ),
    "keepdims": (
        "{g} has the right numbers, with an axis of size 1 too many or too few",
        "sum with keepdims=True where the array has that axis, and without where it has none",
    ),
    "broadcast_not_summed": (
        "{g} has the shape of the broadcast result",
        "forward used each number several times, so sum {g} over the axes that broadcasting added",
    ),
    "not_reshaped": ("{g} has the right numbers in another shape", "reshape it to its array's"),
    "summed_too_far": ("{g} is summed over {what}", "leave that axis alone"),
    "shape": ("{g} has another shape than its array", "compare the shapes in your derivation"),
    # By a factor
    "zero": ("{g} is zero everywhere", "was it ever filled in?"),
    "sign": ("{g} has the wrong sign", "look for a lost or doubled minus"),
    "factor_2": ("{g} is twice what it should be", "a factor 2 too many, as from a square"),
    "factor_half": ("{g} is half of what it should be", "a factor 2 was lost, as from a square"),
    "factor_n": (
        "{g} is too large by {what}",
        "a mean in forward divides by it, so its gradient does too",
    ),
    "factor_1_n": (
        "{g} is too small by {what}",
        "layers sum over the batch; only losses average, and only once",
    ),
    "factor_minus_n": ("{g} has the wrong sign and is too large by {what}", "see the mean"),
    "factor_minus_1_n": ("{g} has the wrong sign and is too small by {what}", "see the mean"),
    "factor": ("{g} is {what} times what it should be", "look for a constant that got lost"),
    # By order
    "transposed": (
        "{g} is the transpose of what it should be",
        "write the shapes beside the product, as dy·xᵀ has shape (out, in), and swap the factors",
    ),
    "reshape_for_transpose": (
        "{g} was reshaped where it should be transposed",
        "reshape keeps the order of the numbers; use .T or transpose(axes)",
    ),
    "flipped_kernel": (
        "the kernel is flipped along {what}",
        "correlation and convolution are each other's backward pass: one flips, one does not",
    ),
    "shifted_kernel": ("{g} is shifted {what}", "look at the padding and the first index"),
    "stride_forgotten": (
        "the windows of backward start at i instead of i * stride",
        "slice as forward does: from i * stride to i * stride + kernel_size",
    ),
    "window_off_by_one": (
        "the windows of backward are one too short or begin one too late",
        "slice as forward does: from start to start + kernel_size, its end not included",
    ),
    "padding_not_cropped": (
        "{g} has the shape of the padded input",
        "cut the padding off at both ends of each axis of space: p : p + size",
    ),
    "cropped_to_nothing": (
        "{g} is empty",
        "a slice such as p:-p is, where p is 0: write p : p + size, and mind which axes are space",
    ),
    "windows_left_out": (
        "windows at an end are left out",
        "go over as many windows as forward does: (size - kernel_size) // stride + 1",
    ),
    "averaged_over_space": (
        "{g} is divided by {what}",
        "samples and places share the parameter, so their gradients add up: no mean",
    ),
    # By call
    "stale_cache": (
        "{g} belongs to the forward call before the last",
        "store what backward needs in every forward call",
    ),
    "accumulated": (
        "{g} adds up over calls",
        "start every backward from zero; only uses of one array within a call add up",
    ),
    "not_accumulated": (
        "{g} is that of one use only, though the array is used several times",
        "write += where it says =, starting from zero",
    ),
    "windows_not_added": (
        "where windows overlap, only one of them counts",
        "write += where it says =, into zeros",
    ),
    "stale_params": (
        "{g} is computed with the parameters of `__init__`",
        "use the array in params in backward too: a copy or a transpose that `__init__` kept is "
        "not trained",
    ),
    "updated_too_early": (
        "{g} is computed with parameters that backward has already changed",
        "compute {g} first, then update",
    ),
    "bias_correction_missing": (
        "a moment that began at 0 is taken as it is: {what}",
        "divide m by 1 - beta1**t and v by 1 - beta2**t, with t from 1",
    ),
    "state_leak": (
        "{g} depends on earlier calls",
        "backward may use nothing but what the last forward stored",
    ),
    "second_backward": (
        "{g} of a second backward differs from the first",
        "backward may not change what forward stored, nor keep gradients of its own",
    ),
    "mutated_input": ("{what} was written to", "work on a copy, without -= or out="),
    "mutated_dy": ("dy was written to by backward", "work on a copy, without *= or out="),
    "mutated_params": (
        "the parameter was written to by {what}",
        "forward and backward only read parameters; the optimizer changes them",
    ),
    "swapped": ("this is {what}", "two gradients changed places: mind the order of the return"),
    # In the formula
    "missing_derivative": (
        "dy is passed through without the function's own derivative",
        "the chain rule: multiply dy by f'(x)",
    ),
    "dy_ignored": ("dy is left out", "the chain rule: multiply by dy, which comes from above"),
    "reciprocal": ("the derivative is upside down", "multiply where you divide by it"),
    "path_missing": (
        "one way from x to y is left out",
        "x is used twice, so two gradients add up",
    ),
    "path_added": (
        "dy itself is added once too often",
        "that is the way of a shortcut y = x + f(x), which is not there",
    ),
    "inverted_mask": (
        "the mask is inverted: {g} is passed where it should stop",
        "the gradient goes where forward let x through",
    ),
    "output_ignored": (
        "what comes from output {what} is left out",
        "add the gradients that come from all outputs, the state's too",
    ),
    "time_cut": (
        "the gradient of each step stays in it: none is passed on to the step before",
        "go through time backwards, and add to dy what the step after gives the state",
    ),
    "gates_exchanged": (
        "the parts of two gates are exchanged: {what}",
        "mind the order of the gates in the rows of W and b",
    ),
    "wrong_derivative": (
        "the derivative is {what}",
        "derive it once more, and write it in what the cache holds",
    ),
    "sum_added": (
        "the sum is added instead of subtracted",
        "softmax: dx = y (dy - sum(dy y)); log-softmax: dx = dy - exp(y) sum(dy)",
    ),
    "outside_kink": (
        "at a kink {g} is none of the slopes of the two sides, nor between them: at {what}",
        "take the slope of one side there",
    ),
    "every_maximum": (
        "where several elements are the maximum, each of them gets the whole gradient",
        "give it to one, as argmax does, or share it: images are full of equal numbers",
    ),
    "wrong_place": ("the derivative is taken at the wrong place: {what}", "mind what the cache is"),
    "transpose_missing": (
        "a transpose is missing or one too many: {what}",
        "write the shapes beside the product; square matrices hide this",
    ),
    "operands_swapped": (
        "the factors of the product stand in the wrong order: {what}",
        "AB is not BA",
    ),
    "wrong_operand": ("the wrong operand: {what}", "the gradient by u holds v, and that by v u"),
    "elementwise_product": ("* where @ belongs: {what}", "* multiplies element by element"),
    "wrong_axis": ("a sum runs over the wrong axis: {what}", "name the axes of forward"),
    "one_sample": (
        "only the {what} sample or step counts",
        "sum over all of them: += in the loop, from zero",
    ),
    "diagonal_jacobian": (
        "only the diagonal of the Jacobian is used",
        "every output depends on every input: dx = y (dy - sum(dy y))",
    ),
    "sum_missing": (
        "the sum over the outputs is left out",
        "every output depends on every input: dx = y (dy - sum(dy y))",
    ),
    "mean_path_missing": (
        "the way through the mean is left out",
        "x changes the mean of its group, so subtract the mean of dy gamma",
    ),
    "variance_path_missing": (
        "the way through the variance is left out",
        "x changes the variance of its group, so subtract x_hat mean(dy gamma x_hat)",
    ),
    "mean_and_variance_paths_missing": (
        "mean and variance are treated as constants",
        "x changes both; the gradient goes through them too",
    ),
    "scale_missing": ("gamma is left out", "y = gamma x_hat + beta, so x_hat gets dy gamma"),
    "scale_too_late": (
        "gamma multiplies what the means were subtracted from",
        "x_hat gets dy gamma: multiply first, then subtract the means",
    ),
    "deviation_missing": (
        "the division by the standard deviation is left out",
        "x_hat = (x - mean) / deviation",
    ),
    "target_missing": ("the target is not subtracted", "dx = p - t"),
    "target_added": ("the target is added", "dx = p - t"),
    "prediction_missing": ("the prediction is left out", "dx = p - t"),
    "activation_missing": ("the {what} is left out", "dx = p - t, where p are probabilities"),
    # Values
    "non_finite": (
        "{g} is NaN or infinite where the true value is finite",
        "rewrite the formula so that no exponent is positive: subtract the maximum first",
    ),
    "values_differ": ("the values differ", "no single known mistake gives these numbers"),
    # Undecidable
    "not_understood": ("{what}", "adapt it as written below"),
    "not_compared": (
        "{g} was not compared: {what}",
        "return it after dx, or leave it on the object as `{g}`",
    ),
    "kink": ("the derivative does not exist here: a kink", "check at another point"),
    "precision": (
        "the numbers are too coarse to tell: {what}",
        "compute in float64 for the check",
    ),
    "random_forward": (
        "two forward calls on one input differ",
        "draw from `self.rng`, a numpy Generator, which the check can set back",
    ),
}

CODES = tuple(CAUSES)


def explain(code: str, name: str, what: str = "") -> str:
    """The cause and the remedy in words.

    Examples
    --------
    >>> explain("sign", "dW")
    'dW has the wrong sign: look for a lost or doubled minus'
    """
    cause, remedy = CAUSES[code]
    return f"{cause}: {remedy}".format(g=name, what=what)
