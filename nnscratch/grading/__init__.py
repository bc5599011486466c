"""The homework grader: strangers' code computes in a place of its own, and is judged outside it.

The data's path: `spec` reads an assignment, `submission` what was handed in; for each item a
`worker` in its `sandbox` computes what the item asks of it through `student`; the item compares
with the library (`evidence`), `diagnose` names the mistake; `grade` makes results of it, `report`
and `gradebook` files. `prove` shows that an assignment is sound.
"""
