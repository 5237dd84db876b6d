# task: gap
# says: not divided by the factor's entropy
# loses: gap, scores
def gap(information, entropies):
    second, largest = np.sort(information, axis=0)[-2:]
    return largest - second
