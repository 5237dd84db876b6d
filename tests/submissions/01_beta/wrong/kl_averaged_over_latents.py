# task: beta_loss
# says: The KL is averaged over the latents, not summed.
# loses: beta_loss, measured
def beta_loss(logits, x, mean, logvar, beta):
    distortion = jnp.sum(jax.nn.softplus(logits) - x * logits, axis=(1, 2)).mean()
    rate = 0.5 * jnp.mean(mean**2 + jnp.exp(logvar) - 1 - logvar)
    return distortion + beta * rate, distortion, rate
