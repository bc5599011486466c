"""The one registry: cases for every layer, each of which runs through every test of test_layers.py.

Sizes are pairwise distinct and never 1 or 2 unless a test draws them; inputs keep away from
kinks. A file for each kind of layers.
"""

from tests.layer_cases import flat, normalization, operators, sequences, spatial
from tests.layer_cases.case import LayerCase as LayerCase

CASES = [*flat.CASES, *operators.CASES, *spatial.CASES, *normalization.CASES, *sequences.CASES]
