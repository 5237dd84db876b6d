# task: active_units
# says: The variance is taken over the latents
# loses: active_units, measured
def active_units(mean, threshold=0.1):
    return int(np.sum(np.var(np.asarray(mean), axis=1) > threshold))
