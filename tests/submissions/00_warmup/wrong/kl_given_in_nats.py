# task: kl_in_bits
# says: This is the KL in nats: divide by log 2.
kl_in_bits = float(repaired_kl(jnp.array([[2.0]]), jnp.log(jnp.array([[0.25]])))[0])
