"""The packages, two folders beside them, and the loops in C; setup.cfg has the rest.

The loops are built where there is a C compiler, and are left out where there is none, or where
NNSCRATCH_KERNELS=0 asks for a wheel that runs anywhere (py3-none-any).
"""

import os
import sysconfig
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

BESIDE = {"nnscratch._datasets": "datasets", "nnscratch._homework": "homework"}
# one build for all versions of Python from 3.11 on, but for those without the global lock
STABLE = not sysconfig.get_config_var("Py_GIL_DISABLED")


class BuildLoops(build_ext):
    """Rounding as NumPy's: no product joined to a sum, no sum in another order."""

    def build_extensions(self) -> None:
        flags = ["-O3", "-g0", "-fvisibility=hidden", "-fno-fast-math", "-ffp-contract=off"]
        flags += ["-fno-math-errno", "-fno-trapping-math"]  # so that roots, comparisons are vectors
        if self.compiler.compiler_type == "msvc":
            flags = ["/O2", "/fp:precise"]
        for extension in self.extensions:
            extension.extra_compile_args = flags
        super().build_extensions()


LOOPS = Extension(
    "nnscratch._compiled",
    sorted(map(str, Path("nnscratch/loops").glob("*.c"))),
    depends=["nnscratch/loops/arrays.h"],
    define_macros=[("Py_LIMITED_API", "0x030B0000")] if STABLE else [],
    py_limited_api=STABLE,
    optional=True,
)
WANTED = os.environ.get("NNSCRATCH_KERNELS") != "0"

setup(
    packages=[*find_packages(include=["nnscratch", "nnscratch.*"]), *BESIDE],
    package_dir=BESIDE,
    ext_modules=[LOOPS] if WANTED else [],
    cmdclass={"build_ext": BuildLoops},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if WANTED and STABLE else {},
)
