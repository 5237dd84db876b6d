# task: kl_between
# says: The KL is summed over the images too
def kl_between(mean, logvar, other_mean, other_logvar):
    ratio = jnp.exp(logvar - other_logvar)
    gap = (mean - other_mean) ** 2 / jnp.exp(other_logvar)
    return 0.5 * jnp.sum(ratio + gap - 1 - (logvar - other_logvar))
