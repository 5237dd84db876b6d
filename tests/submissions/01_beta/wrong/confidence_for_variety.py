# task: variety
# says: This is the mean of the largest probability
def variety(p):
    return jnp.max(p, axis=1).mean()
