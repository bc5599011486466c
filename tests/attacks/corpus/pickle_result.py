"""Returns an object that runs a command when it is unpickled.

row: unpickling tricks
stopped by: of type
"""

import os


class Bomb:
    def __reduce__(self):
        return os.system, ("touch pickled",)


class Square:
    def forward(self, x):
        return {"y": Bomb()}

    def backward(self, dy):
        return Bomb()
