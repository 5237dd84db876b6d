# task: digit_on_demand
# says: these are logits
def digit_on_demand(model, digit, count, *, key):
    z = jax.random.normal(key, (count, model.config.latent_size))
    return model.decode(z, jnp.full(count, digit))
