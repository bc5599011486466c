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
    raise NotImplementedError


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
        raise NotImplementedError

    def backward(self, dy):
        """The gradients by both operands of the last `forward`.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        du, dv : arrays of u's shape and of v's shape
        """
        raise NotImplementedError


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
        raise NotImplementedError

    def backward(self, dy):
        """The gradients by both operands of the last `forward`.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        du, dv : arrays of u's shape and of v's shape
        """
        raise NotImplementedError


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
        raise NotImplementedError

    def backward(self, dy):
        """The gradients by both operands of the last `forward`.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        du, dv : arrays of u's shape and of v's shape
        """
        raise NotImplementedError


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
        raise NotImplementedError

    def backward(self, dy):
        """The gradients by both operands of the last `forward`.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        du, dv : arrays of u's shape and of v's shape
        """
        raise NotImplementedError


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
        raise NotImplementedError

    def backward(self, dY):
        """The gradients by both factors of the last `forward`.

        Parameters
        ----------
        dY : array of shape (m, p)

        Returns
        -------
        dA, dB : arrays of shapes (m, n) and (n, p)
        """
        raise NotImplementedError


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
        raise NotImplementedError

    def backward(self, dy):
        """The gradient by the x of the last `forward`.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        dx : array of the same shape
        """
        raise NotImplementedError


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
        raise NotImplementedError

    def backward(self, dy):
        """The gradient by the x of the last `forward`.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        dx : array of the same shape
        """
        raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError
