# task: log_likelihood
# says: The sigmoid is forgotten: the logits were used as probabilities.
def log_likelihood(logits, x):
    each = x * jnp.log(logits) + (1 - x) * jnp.log(1 - logits)
    return jnp.sum(each, axis=(1, 2))
