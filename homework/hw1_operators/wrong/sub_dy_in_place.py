"""dy *= -1 writes into dy."""


class Sub:
    def backward(self, dy):
        du = unbroadcast(dy.copy(), self.u.shape)
        dy *= -1
        return du, unbroadcast(dy, self.v.shape)
