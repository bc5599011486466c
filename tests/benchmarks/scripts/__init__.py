"""Scripts as users of each framework write them; `time_to_accuracy.py` starts and times them.

python SCRIPT NET FOLDER SEED: trains NET (mlp or lenet) on the Fashion-MNIST files in FOLDER until
the test accuracy, taken after every epoch, is 0.88, and prints the accuracies. The nets, minibatches
of 128 and 64 and Adam's settings are the same; the first weights are as each framework draws them
unless told.
"""
