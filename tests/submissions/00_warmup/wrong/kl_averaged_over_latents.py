# task: kl_between
# says: The KL is averaged over the latents, not summed.
def kl_between(mean, logvar, other_mean, other_logvar):
    ratio = jnp.exp(logvar - other_logvar)
    gap = (mean - other_mean) ** 2 / jnp.exp(other_logvar)
    return 0.5 * jnp.mean(ratio + gap - 1 - (logvar - other_logvar), axis=-1)
# loses: kl_between
