# task: active_units
# says: a latent that is 3 for every image says nothing
def active_units(mean, threshold=0.1):
    return int(np.sum(np.mean(np.asarray(mean) ** 2, axis=0) > threshold))
