# task: mutual_information
# says: where pairs never occur is nan
# loses: mutual_information, scores
def mutual_information(a, b):
    a, b = np.asarray(a), np.asarray(b)
    joint = np.array([[np.mean((a == i) & (b == j)) for j in range(b.max() + 1)]
                      for i in range(a.max() + 1)])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sum(joint * np.log(joint / np.outer(joint.sum(1), joint.sum(0))))
