# task: kl_between
# says: The KL is reversed: this is KL(p ‖ q), not KL(q ‖ p).
def kl_between(mean, logvar, other_mean, other_logvar):
    ratio = jnp.exp(other_logvar - logvar)
    gap = (mean - other_mean) ** 2 / jnp.exp(logvar)
    return 0.5 * jnp.sum(ratio + gap - 1 - (other_logvar - logvar), axis=-1)
