# task: beta_loss
# says: average over the batch
# loses: beta_loss, measured
def beta_loss(logits, x, mean, logvar, beta):
    distortion = jnp.sum(jax.nn.softplus(logits) - x * logits, axis=(1, 2))
    rate = 0.5 * jnp.sum(mean**2 + jnp.exp(logvar) - 1 - logvar, axis=1)
    return distortion + beta * rate, distortion, rate
