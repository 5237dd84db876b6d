# task: beta_loss
# says: β weighs the wrong term: it belongs to the rate.
def beta_loss(logits, x, mean, logvar, beta):
    distortion = jnp.sum(jax.nn.softplus(logits) - x * logits, axis=(1, 2)).mean()
    rate = 0.5 * jnp.sum(mean**2 + jnp.exp(logvar) - 1 - logvar, axis=1).mean()
    return beta * distortion + rate, distortion, rate
