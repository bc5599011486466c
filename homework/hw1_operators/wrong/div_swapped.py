"""The order of the return: dv, du."""


class Div:
    def backward(self, dy):
        return unbroadcast(-dy * self.u / self.v**2, self.u.shape), unbroadcast(
            dy / self.v, self.v.shape
        )
