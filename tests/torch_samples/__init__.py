"""torch's own sample inputs, tried on nnscratch: python -m tests.torch_samples prints the tally.

torch's tests run each of its operators and modules on samples that its authors thought worth a
try: odd shapes, no elements, one element, negative axes, broadcasting, other memory orders.
Whatever of them can be said in nnscratch must give the same values and gradients in float64.
"""
