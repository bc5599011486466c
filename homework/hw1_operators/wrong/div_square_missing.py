"""dv = -dy ∘ u / v."""


class Div:
    def backward(self, dy):
        return unbroadcast(dy / self.v, self.u.shape), unbroadcast(
            -dy * self.u / self.v, self.v.shape
        )
