"""A counter of the epochs without a better loss."""


def stop_early(losses, patience):
    lowest, best, waited = float("inf"), 0, 0
    for epoch, value in enumerate(losses):
        waited += 1
        if value < lowest:
            lowest, best, waited = value, epoch, 0
        if waited == patience:
            return epoch, best
    return len(losses) - 1, best
