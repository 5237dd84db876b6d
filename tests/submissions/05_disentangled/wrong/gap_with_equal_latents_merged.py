# task: gap
# says: Two equal latents were counted as one
# loses: gap
def gap(information, entropies):
    both = [np.unique(column)[-2:] for column in np.asarray(information).T]
    return np.array([largest - second for second, largest in both]) / entropies
