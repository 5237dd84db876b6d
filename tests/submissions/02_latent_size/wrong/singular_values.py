# task: eigenvalues
# says: These are square roots
def eigenvalues(x):
    rows = np.asarray(x, np.float64).reshape(len(x), -1)
    return np.linalg.svd(rows - rows.mean(0), compute_uv=False) / np.sqrt(len(rows))
