# task: variety
# says: variety(p) with zeros in p is nan
def variety(p):
    divergence = jnp.sum(p * (jnp.log(p) - jnp.log(p.mean(0))), axis=1)
    return jnp.exp(divergence.mean())
