# task: repaired_kl
# says: This is still the broken one
def repaired_kl(mean, logvar):
    return jnp.sum(mean**2 + 0.5 * (jnp.exp(logvar) - 1 - logvar), axis=-1)
# loses: repaired_kl, kl_in_bits
