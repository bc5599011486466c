"""Gradients add up over the calls."""


class Mul:
    def backward(self, dy):
        du = unbroadcast(dy * self.v, self.u.shape)
        dv = unbroadcast(dy * self.u, self.v.shape)
        shapes = du.shape, dv.shape
        if getattr(self, "summed", None) == shapes:
            self.du, self.dv = self.du + du, self.dv + dv
        else:
            self.summed, self.du, self.dv = shapes, du, dv
        return self.du, self.dv
