# task: repaired_sample
# says: logvar was used as log-std
def repaired_sample(mean, logvar, *, key):
    return mean + jnp.exp(logvar) * jax.random.normal(key, mean.shape)
