# task: traversal
# says: All latents are set to the value
def traversal(model, x, latent, values):
    mean, _ = model.encode(x[None])
    codes = jnp.tile(values[:, None], (1, mean.shape[1]))
    return jax.nn.sigmoid(model.decode(codes))
