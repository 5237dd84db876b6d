# task: mutual_information
# says: The logarithms are summed as they are
# loses: mutual_information, scores
def mutual_information(a, b):
    a, b = np.asarray(a), np.asarray(b)
    joint = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(joint, (a, b), 1 / len(a))
    independent = joint.sum(1, keepdims=True) * joint.sum(0)
    seen = joint > 0
    return np.sum(np.log(joint[seen] / independent[seen]))
