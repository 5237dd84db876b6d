# task: gap
# says: has shape (5,); it should have (3,)
# loses: gap, scores
def gap(information, entropies):
    ordered = np.sort(np.asarray(information) / entropies, axis=1)
    return ordered[:, -1] - ordered[:, -2]
