# task: kl_between
# says: The factor ½ is missing.
def kl_between(mean, logvar, other_mean, other_logvar):
    ratio = jnp.exp(logvar - other_logvar)
    gap = (mean - other_mean) ** 2 / jnp.exp(other_logvar)
    return jnp.sum(ratio + gap - 1 - (logvar - other_logvar), axis=-1)
