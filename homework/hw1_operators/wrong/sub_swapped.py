"""The order of the return: dv, du; as dv = -du, this may be a sign as well."""


class Sub:
    def backward(self, dy):
        return unbroadcast(-dy, self.u.shape), unbroadcast(dy, self.v.shape)
