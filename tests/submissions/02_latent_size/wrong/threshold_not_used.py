# task: active_units
# says: compare with `threshold`
def active_units(mean, threshold=0.1):
    return int((jnp.var(mean, axis=0) > 0.1).sum())
