"""All that is public, called with one wrong argument: python -m tests.misuse prints the tally.

`call.py` says what a call is, `calls_of_layers.py` and `calls.py` have a right one of everything,
`wrong.py` the values that take the place of each argument in turn, and `tally.py` what came of it:
accepted, since there is a right result; refused by an error that names the place; refused by one
that does not; or a crash from inside.
"""
