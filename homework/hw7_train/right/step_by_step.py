"""Every result has a name."""


def train_step(model, loss, optimizer, x, y):
    prediction = model.forward(x)
    value = loss.forward(prediction, y)
    dprediction = loss.backward()
    model.backward(dprediction)
    optimizer.step()
    return float(value)
