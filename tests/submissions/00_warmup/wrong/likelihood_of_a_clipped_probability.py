# task: log_likelihood
# says: A probability was clipped
def log_likelihood(logits, x):
    p = jnp.clip(jax.nn.sigmoid(logits), 1e-6, 1 - 1e-6)
    return jnp.sum(x * jnp.log(p) + (1 - x) * jnp.log(1 - p), axis=(1, 2))
