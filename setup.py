"""The packages: all below nnscratch/, and two folders beside it; setup.cfg has the rest."""

from setuptools import find_packages, setup

BESIDE = {"nnscratch._datasets": "datasets", "nnscratch._homework": "homework"}

setup(packages=[*find_packages(include=["nnscratch", "nnscratch.*"]), *BESIDE], package_dir=BESIDE)
