# task: repaired_entropy
# says: It is still NaN where a logit is 120 or −120
def repaired_entropy(logits):
    p = jax.nn.sigmoid(logits)
    return -jnp.sum(p * jnp.log(p) + (1 - p) * jnp.log(1 - p), axis=-1)
