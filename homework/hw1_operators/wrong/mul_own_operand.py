"""du = dy ∘ u."""


class Mul:
    def backward(self, dy):
        return unbroadcast(dy * self.u, self.u.shape), unbroadcast(dy * self.u, self.v.shape)
