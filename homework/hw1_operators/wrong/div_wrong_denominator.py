"""du = dy / u."""


class Div:
    def backward(self, dy):
        return unbroadcast(dy / self.u, self.u.shape), unbroadcast(
            -dy * self.u / self.v**2, self.v.shape
        )
