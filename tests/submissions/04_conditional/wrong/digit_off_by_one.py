# task: digit_on_demand
# says: the digit before or after
def digit_on_demand(model, digit, count, *, key):
    z = jax.random.normal(key, (count, model.config.latent_size))
    return jax.nn.sigmoid(model.decode(z, jnp.full(count, (digit + 1) % 10)))
