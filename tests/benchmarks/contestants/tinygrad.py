"""tinygrad: the whole step under TinyJit, on the CPU. It compiles its kernels by clang."""

from tests.benchmarks.nets import BETA1, BETA2, EPSILON, LEARNING_RATE, MOMENTUM, orders


def jit(case, x, y, weights):
    from tinygrad import Context, Tensor, TinyJit, nn

    parameters = [Tensor(array.copy()).realize() for pair in weights for array in pair]
    pairs = list(zip(parameters[::2], parameters[1::2], strict=True))
    data, labels = Tensor(x).realize(), Tensor(y.astype("int32")).realize()
    rate = LEARNING_RATE[case.rule]
    if case.rule == "sgd":
        optimizer = nn.optim.SGD(parameters, rate, momentum=MOMENTUM)
    else:
        optimizer = nn.optim.Adam(parameters, rate, BETA1, BETA2, EPSILON)

    def model(a):
        left = iter(pairs)
        for kind, *sizes in case.net.layers:
            if kind == "linear":
                W, b = next(left)
                a = a.linear(W.T, b)
            elif kind == "conv":
                W, b = next(left)
                a = a.conv2d(W, b, padding=sizes[-1])
            elif kind == "flatten":
                a = a.flatten(1)
            else:
                a = a.relu() if kind == "relu" else a.max_pool2d()
        return a

    @TinyJit
    def step(rows):
        optimizer.zero_grad()
        logits, target = model(data[rows]), labels[rows]
        loss = logits.sparse_categorical_crossentropy(target)
        loss.backward()
        right = (logits.argmax(1) == target).sum()
        with Context(TRAINING=1):  # all at once: what is realized later sees the new weights
            Tensor.realize(loss, right, *optimizer.schedule_step())
        return loss, right

    def train(samples, epochs):
        for order in orders(samples, epochs):
            total = right = 0.0
            for start in range(0, samples, case.batch_size):
                rows = order[start : start + case.batch_size]
                value, correct = step(Tensor(rows.astype("int32")).realize())
                total += value.item() * len(rows)
                right += correct.item()
        return total / samples

    return train
