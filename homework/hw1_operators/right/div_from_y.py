"""dv = -y ∘ dy / v, from the quotient itself."""


class Div:
    def forward(self, u, v):
        self.u_shape, self.v = u.shape, v
        self.y = u / v
        return self.y

    def backward(self, dy):
        share = dy / self.v
        return unbroadcast(share, self.u_shape), unbroadcast(-self.y * share, self.v.shape)
