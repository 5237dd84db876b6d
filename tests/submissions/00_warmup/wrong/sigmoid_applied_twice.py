# task: log_likelihood
# says: The sigmoid is applied twice.
def log_likelihood(logits, x):
    p = jax.nn.sigmoid(logits)
    return jnp.sum(x * jax.nn.log_sigmoid(p) + (1 - x) * jax.nn.log_sigmoid(-p), axis=(1, 2))
