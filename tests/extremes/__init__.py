"""Layers, losses and optimizers at extreme numbers, beside torch's: python -m tests.extremes.

Zero, subnormal, ±1e4, ±1e30, infinite and NaN, in float16, float32 and float64, as one number of
the input, as all of them, and as one of dy. What comes out is as torch's, or as torch's in float64
and rounded, where its own dtype overflows or loses digits. What is neither has its reason in
`reasons.py` (or, for losses, in `losses.py`), and what has none is a mistake.
"""
