"""Never comes back.

row: infinite loops
stopped by: CPU time
limits: cpu=1
"""


class Square:
    def forward(self, x):
        while True:
            x = x * 1.0

    def backward(self, dy):
        return dy
