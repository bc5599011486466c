"""Leaves files whose names are commands, paths and control characters; locks its folder.

row: zip-slip, symlinks, devices, odd file names
stopped by: returned None
"""

from pathlib import Path


class Square:
    def forward(self, x):
        for name in (
            "-rf",
            "\x1b[2J",
            "a\nb",
            "\u202egnp.txt",
            " ",
            "$(reboot)",
            "%s%n",
            "x" * 255,
        ):
            Path(name).write_text("x")
        Path("square.py").write_text("class Square:\n    pass\n")
        Path().chmod(0)

    def backward(self, dy):
        return dy
