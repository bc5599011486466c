"""Benchmarks: commands that print what was measured in one run; nothing here is asserted.

python -m tests.benchmarks            a step of training, nnscratch beside the others (--help)
python -m tests.benchmarks.NAME       time_to_accuracy, imports, growth, predictions,
                                      spectra, graph_cost

nets.py says what is trained, contestants/ how each of them trains it, measuring.py takes the
times, table.py prints them.
"""
