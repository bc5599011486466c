"""2 (x - t): the half in the loss has eaten the 2."""


class HalfSquaredError:
    def backward(self):
        return 2 * self.difference / len(self.difference)
