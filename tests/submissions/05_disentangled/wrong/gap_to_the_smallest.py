# task: gap
# says: This is the largest minus the smallest
# loses: gap, scores
def gap(information, entropies):
    return (information.max(axis=0) - information.min(axis=0)) / entropies
