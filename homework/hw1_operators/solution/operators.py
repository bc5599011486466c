"""Operators with their gradients, and a checker that finds a wrong one.

An operator has two methods. `forward` computes y and keeps on `self` what `backward` will need;
`backward` receives dy, the gradient of some loss L by y, and returns the gradients of L by the
inputs, each in the shape of its input. Write NumPy only, and never write into an array that you
were given (no u += ..., no dy *= ...).
Replace each `raise NotImplementedError`; the formulas and their reasons are in README.md.
"""

import numpy as np


def unbroadcast(gradient, shape):
    """Sum a gradient over the copies that broadcasting made, back to a shape.

    Parameters
    ----------
    gradient : array
        Of the shape to which an array of `shape` was broadcast.
    shape : tuple of int
        The array's own shape: it may have fewer axes, and axes of size 1 that were stretched.

    Returns
    -------
    summed : array of the given shape
        At each place the sum of `gradient` over all places to which that element was copied.
    """
    # BEGIN SOLUTION
    added = gradient.ndim - len(shape)
    gradient = gradient.sum(axis=tuple(range(added)))
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return gradient.sum(axis=stretched, keepdims=True)
    # END SOLUTION


class Add:
    """y = u + v, element by element, with broadcasting."""

    def forward(self, u, v):
        """The sum.

        Parameters
        ----------
        u, v : arrays of shapes that broadcast

        Returns
        -------
        y : array of the broadcast shape
        """
        # BEGIN SOLUTION
        self.u, self.v = u, v
        return u + v
        # END SOLUTION

    def backward(self, dy):
        """The gradients by both operands of the last `forward`.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        du, dv : arrays of u's shape and of v's shape
        """
        # BEGIN SOLUTION
        return unbroadcast(dy, self.u.shape), unbroadcast(dy, self.v.shape)
        # END SOLUTION


class Sub:
    """y = u - v, element by element, with broadcasting."""

    def forward(self, u, v):
        """The difference.

        Parameters
        ----------
        u, v : arrays of shapes that broadcast

        Returns
        -------
        y : array of the broadcast shape
        """
        # BEGIN SOLUTION
        self.u, self.v = u, v
        return u - v
        # END SOLUTION

    def backward(self, dy):
        """The gradients by both operands of the last `forward`.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        du, dv : arrays of u's shape and of v's shape
        """
        # BEGIN SOLUTION
        return unbroadcast(dy, self.u.shape), unbroadcast(-dy, self.v.shape)
        # END SOLUTION


class Mul:
    """y = u ∘ v, the product element by element, with broadcasting."""

    def forward(self, u, v):
        """The product.

        Parameters
        ----------
        u, v : arrays of shapes that broadcast

        Returns
        -------
        y : array of the broadcast shape
        """
        # BEGIN SOLUTION
        self.u, self.v = u, v
        return u * v
        # END SOLUTION

    def backward(self, dy):
        """The gradients by both operands of the last `forward`.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        du, dv : arrays of u's shape and of v's shape
        """
        # BEGIN SOLUTION
        du = unbroadcast(dy * self.v, self.u.shape)
        dv = unbroadcast(dy * self.u, self.v.shape)
        return du, dv
        # END SOLUTION


class Div:
    """y = u / v, element by element, with broadcasting."""

    def forward(self, u, v):
        """The quotient.

        Parameters
        ----------
        u, v : arrays of shapes that broadcast
            v has no zeros.

        Returns
        -------
        y : array of the broadcast shape
        """
        # BEGIN SOLUTION
        self.u, self.v = u, v
        return u / v
        # END SOLUTION

    def backward(self, dy):
        """The gradients by both operands of the last `forward`.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        du, dv : arrays of u's shape and of v's shape
        """
        # BEGIN SOLUTION
        du = unbroadcast(dy / self.v, self.u.shape)
        dv = unbroadcast(-dy * self.u / self.v**2, self.v.shape)
        return du, dv
        # END SOLUTION


class MatMul:
    """Y = A B, the product of two matrices."""

    def forward(self, A, B):
        """The matrix product.

        Parameters
        ----------
        A : array of shape (m, n)
        B : array of shape (n, p)

        Returns
        -------
        Y : array of shape (m, p)
        """
        # BEGIN SOLUTION
        self.A, self.B = A, B
        return A @ B
        # END SOLUTION

    def backward(self, dY):
        """The gradients by both factors of the last `forward`.

        Parameters
        ----------
        dY : array of shape (m, p)

        Returns
        -------
        dA, dB : arrays of shapes (m, n) and (n, p)
        """
        # BEGIN SOLUTION
        return dY @ self.B.T, self.A.T @ dY
        # END SOLUTION


class Sin:
    """y = sin x, element by element."""

    def forward(self, x):
        """The sine of an array of any shape.

        Parameters
        ----------
        x : array

        Returns
        -------
        y : array of x's shape
        """
        # BEGIN SOLUTION
        self.x = x
        return np.sin(x)
        # END SOLUTION

    def backward(self, dy):
        """The gradient by the x of the last `forward`.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        dx : array of the same shape
        """
        # BEGIN SOLUTION
        return dy * np.cos(self.x)
        # END SOLUTION


class Cos:
    """y = cos x, element by element."""

    def forward(self, x):
        """The cosine of an array of any shape.

        Parameters
        ----------
        x : array

        Returns
        -------
        y : array of x's shape
        """
        # BEGIN SOLUTION
        self.x = x
        return np.cos(x)
        # END SOLUTION

    def backward(self, dy):
        """The gradient by the x of the last `forward`.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        dx : array of the same shape
        """
        # BEGIN SOLUTION
        return -dy * np.sin(self.x)
        # END SOLUTION


def numeric_gradient(f, x, h=1e-5):
    """The gradient of a function of an array, by central differences.

    Parameters
    ----------
    f : callable
        Takes an array of x's shape and returns a number.
    x : array
        Of any shape; its numbers may be whole (int64).
    h : float
        How far each element is moved, up and down.

    Returns
    -------
    gradient : array of x's shape, float64
        (f(x + h e) - f(x - h e)) / 2h, where e is 1 at the element's index and 0 elsewhere.
    """
    # BEGIN SOLUTION
    gradient = np.zeros(x.shape)
    moved = x.astype(np.float64)  # a copy, in which x + h is not rounded to a whole number
    for index in np.ndindex(x.shape):
        here = moved[index]
        moved[index] = here + h
        above = f(moved)
        moved[index] = here - h
        below = f(moved)
        moved[index] = here
        gradient[index] = (above - below) / (2 * h)
    return gradient
    # END SOLUTION


def check_gradients(operator, *inputs):
    """Whether an operator's backward agrees with numeric gradients of its forward.

    Parameters
    ----------
    operator : object
        With `forward(*inputs)` and `backward(dy)`, which returns one array for one input, and a
        tuple of arrays for several.
    *inputs : arrays
        Where to check.

    Returns
    -------
    right : bool
        True if the gradient by every input has the shape of that input and differs from the
        numeric one, at every element, by no more than 1e-5 of the numeric one's largest element.

    Notes
    -----
    The loss whose gradients are compared is L = Σ dy ∘ y, with a dy that you draw at random.
    """
    # BEGIN SOLUTION
    dy = np.random.default_rng(0).normal(size=operator.forward(*inputs).shape)
    gradients = operator.backward(dy)
    if len(inputs) == 1:
        gradients = (gradients,)

    for i, (x, gradient) in enumerate(zip(inputs, gradients, strict=True)):

        def loss(moved, i=i):
            others = list(inputs)
            others[i] = moved
            return np.sum(dy * operator.forward(*others))

        numeric = numeric_gradient(loss, x)
        if gradient.shape != numeric.shape:
            return False
        # written so that NaN, which is in no order with anything, is refused
        if not np.max(np.abs(gradient - numeric)) <= 1e-5 * np.max(np.abs(numeric)):
            return False
    return True
    # END SOLUTION
