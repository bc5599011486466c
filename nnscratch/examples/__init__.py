"""Scripts to copy and change: python -m nnscratch.examples.train_mlp"""
