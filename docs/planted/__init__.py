"""Mistakes planted in right layers, one for each code of the gradient checker."""
