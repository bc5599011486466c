"""A loop over the samples."""


class HalfSquaredError:
    def forward(self, prediction, target):
        self.prediction, self.target = prediction, target
        losses = [0.5 * (x - t) @ (x - t) for x, t in zip(prediction, target, strict=True)]
        return sum(losses) / len(losses)

    def backward(self):
        return (self.prediction - self.target) / self.prediction.shape[0]
