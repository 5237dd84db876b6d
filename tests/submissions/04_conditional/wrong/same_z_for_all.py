# task: digit_on_demand
# says: All the images are the same
def digit_on_demand(model, digit, count, *, key):
    z = jax.random.normal(key, (count, model.config.latent_size))
    return jax.nn.sigmoid(model.decode(0 * z + z[0], jnp.full(count, digit)))
