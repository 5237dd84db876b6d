# task: digit_on_demand
# says: over that of decoded draws
def digit_on_demand(model, digit, count, *, key):
    z = jax.random.normal(key, (count, model.config.latent_size))
    z = jax.random.uniform(key, z.shape)
    return jax.nn.sigmoid(model.decode(z, jnp.full(count, digit)))
