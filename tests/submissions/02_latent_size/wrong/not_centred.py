# task: eigenvalues
# says: The mean image is not subtracted
def eigenvalues(x):
    rows = np.asarray(x, np.float64).reshape(len(x), -1)
    return np.linalg.eigvalsh(rows.T @ rows / len(rows))[::-1]
