# task: eigenvalues
# says: it should have (12,)
def eigenvalues(x):
    rows = np.asarray(x, np.float64).reshape(len(x), -1)
    rows -= rows.mean(axis=0)
    return np.linalg.eigvalsh(rows @ rows.T / len(rows))[::-1]
