# task: prior_images
# says: Every pixel is 0 or 1: pixels were drawn.
def prior_images(model, count, *, key):
    z_key, pixel_key = jax.random.split(key)
    z = jax.random.normal(z_key, (count, model.config.latent_size))
    return jax.random.bernoulli(pixel_key, jax.nn.sigmoid(model.decode(z))).astype(float)
