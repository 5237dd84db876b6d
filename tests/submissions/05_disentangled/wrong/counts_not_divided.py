# task: mutual_information
# says: The counts were not divided by n
# loses: mutual_information, scores
def mutual_information(a, b):
    joint = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(joint, (np.asarray(a), np.asarray(b)), 1)
    independent = joint.sum(1, keepdims=True) * joint.sum(0)
    seen = joint > 0
    return np.sum(joint[seen] * np.log(joint[seen] / independent[seen]))
