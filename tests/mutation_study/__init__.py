"""The mutation study of the gradient checker: python -m tests.mutation_study

The passes of the library's own layers, operators and losses are rewritten, each time with one
mistake that students make, and the checker is asked what is wrong. The table counts for every
kind of mistake which codes it got. A mutant that behaves as the original on random inputs is no
mistake; those are listed and left out.

Options: --step 3 takes every third mutant, --right 1000 fewer right layers (those are in
`tests.right_layers`).
"""
