# task: eigenvalues
# says: They ascend
def eigenvalues(x):
    return np.linalg.eigvalsh(np.cov(np.asarray(x).reshape(len(x), -1).T, bias=True))
