# task: beta_loss
# says: a clipped probability forgets how wrong it was
def beta_loss(logits, x, mean, logvar, beta):
    p = jnp.clip(jax.nn.sigmoid(logits), 1e-6, 1 - 1e-6)
    log_p = x * jnp.log(p) + (1 - x) * jnp.log(1 - p)
    distortion = -log_p.sum((1, 2)).mean()
    rate = 0.5 * (jnp.exp(logvar) + mean**2 - 1 - logvar).sum(1).mean()
    return distortion + beta * rate, distortion, rate
