"""Where strangers' code runs: a worker process that computes, confined, and the talk with it.

Standard library and NumPy only; nothing of the library is here to be found.
"""
