# task: prior_images
# says: these are logits; give sigmoid(logits)
# loses: prior_images
def prior_images(model, count, *, key):
    z = jax.random.normal(key, (count, model.config.latent_size))
    return model.decode(z)
