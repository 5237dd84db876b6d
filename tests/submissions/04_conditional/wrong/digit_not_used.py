# task: digit_on_demand
# says: does every image get the label
def digit_on_demand(model, digit, count, *, key):
    z = jax.random.normal(key, (count, model.config.latent_size))
    return jax.nn.sigmoid(model.decode(z, jnp.arange(count) % 10))
