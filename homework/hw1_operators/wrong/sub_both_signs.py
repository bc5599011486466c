"""-dy for both."""


class Sub:
    def backward(self, dy):
        return unbroadcast(-dy, self.u.shape), unbroadcast(-dy, self.v.shape)
