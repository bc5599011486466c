"""Scripts as users of each framework write them; `time_to_accuracy.py` starts and times them.

python SCRIPT NET FOLDER SEED: trains NET (mlp or lenet) on the Fashion-MNIST files in FOLDER until
the test accuracy, taken after every epoch, is 0.88, and prints the accuracies. All have the same
nets, minibatches of 128 (mlp) and 64 (lenet) and Adam's usual settings; the first weights are drawn
as each framework draws them unless told otherwise, and the seed decides everything that is drawn.
Frameworks are imported inside main, since pytest looks into every file for doctests.
"""
