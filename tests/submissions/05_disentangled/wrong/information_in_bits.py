# task: mutual_information
# says: This is in bits
def mutual_information(a, b):
    joint = np.histogram2d(a, b, bins=(np.arange(a.max() + 2), np.arange(b.max() + 2)))[0]
    joint = joint / joint.sum()
    independent = joint.sum(1)[:, None] * joint.sum(0)
    seen = joint > 0
    return np.sum(joint[seen] * np.log2(joint[seen] / independent[seen]))
