# task: beta_loss
# says: The factor ½ of the KL is missing.
# loses: beta_loss, measured
def beta_loss(logits, x, mean, logvar, beta):
    distortion = jnp.sum(jax.nn.softplus(logits) - x * logits, axis=(1, 2)).mean()
    rate = jnp.sum(mean**2 + jnp.exp(logvar) - 1 - logvar, axis=1).mean()
    return distortion + beta * rate, distortion, rate
