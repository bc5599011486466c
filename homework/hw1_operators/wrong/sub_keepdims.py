"""v's sum keeps an axis of size 1."""


class Sub:
    def backward(self, dy):
        dv = -dy if dy.shape == self.v.shape else -dy.sum(axis=0, keepdims=True)
        return unbroadcast(dy, self.u.shape), dv
