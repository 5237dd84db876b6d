# task: active_units
# says: Standard deviations are compared
# loses: active_units, measured
def active_units(mean, threshold=0.1):
    return int(np.sum(np.std(np.asarray(mean), axis=0) > threshold))
