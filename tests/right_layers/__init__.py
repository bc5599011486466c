"""Right layers by the thousand, where a checker errs most easily: python -m tests.right_layers

At kinks, beside them and at ties, in images of zeros, in float32 and float16, with outputs rounded
to a few digits, at small and at large scales: none of them may be accused. Every check has a number
that gives it again: --start 4711 --checks 1. An "undecidable" is no accusation, but counted.
"""
