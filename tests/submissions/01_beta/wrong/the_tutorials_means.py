# task: beta_loss
# says: that is the tutorial's convention
# loses: beta_loss, measured
def beta_loss(logits, x, mean, logvar, beta):
    distortion = jnp.mean(jax.nn.softplus(logits) - x * logits)
    rate = 0.5 * jnp.mean(mean**2 + jnp.exp(logvar) - 1 - logvar)
    return distortion + beta * rate, distortion, rate
