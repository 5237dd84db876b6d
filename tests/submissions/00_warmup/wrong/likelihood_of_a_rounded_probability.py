# task: log_likelihood
# says: It gives NaN or −inf where a logit is 150 or −150
def log_likelihood(logits, x):
    p = jax.nn.sigmoid(logits)
    return jnp.sum(x * jnp.log(p) + (1 - x) * jnp.log(1 - p), axis=(1, 2))
