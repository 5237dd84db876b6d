# task: reparameterize
# says: Every image of the batch gets the same noise
def reparameterize(mean, logvar, *, key):
    return mean + jnp.exp(logvar / 2) * jax.random.normal(key, mean.shape[1:])
