# task: kl_between
# says: logvar was used as log-std
def kl_between(mean, logvar, other_mean, other_logvar):
    ratio = jnp.exp(2 * (logvar - other_logvar))
    gap = ((mean - other_mean) / jnp.exp(other_logvar)) ** 2
    return jnp.sum(0.5 * (ratio + gap - 1) - (logvar - other_logvar), axis=-1)
