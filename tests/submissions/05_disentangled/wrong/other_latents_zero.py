# task: traversal
# says: The other latents are 0
def traversal(model, x, latent, values):
    codes = jnp.zeros((len(values), model.config.latent_size)).at[:, latent].set(values)
    return jax.nn.sigmoid(model.decode(codes))
