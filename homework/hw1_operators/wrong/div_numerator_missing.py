"""dv = -dy / v²."""


class Div:
    def backward(self, dy):
        return unbroadcast(dy / self.v, self.u.shape), unbroadcast(-dy / self.v**2, self.v.shape)
