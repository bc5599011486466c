"""du = dy ∘ v / v², as the quotient rule starts, with one v lost."""


class Div:
    def backward(self, dy):
        return unbroadcast(dy / self.v**2, self.u.shape), unbroadcast(
            -dy * self.u / self.v**2, self.v.shape
        )
