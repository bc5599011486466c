"""Benchmarks: commands that print ratios from one interleaved run; nothing here is asserted."""
