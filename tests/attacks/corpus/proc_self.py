"""Goes through the links of /proc/self, and asks the kernel to spare it when memory is short.

row: reading the reference from disk, sys.modules, frames or gc
stopped by: nothing found
"""

import contextlib
import json
import os
from pathlib import Path

SECRET = json.loads(Path("target.json").read_text())["secret"]


class Square:
    def forward(self, x):
        for link in ("root", "cwd/../../../..", f"task/{os.getpid()}/root", "fd/0/.."):
            with contextlib.suppress(OSError):
                print(Path(f"/proc/self/{link}{SECRET}").read_text())
                return x**2
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("-1000")
            return x**2
        raise LookupError("nothing found in /proc/self")

    def backward(self, dy):
        return dy
