# task: traversal
# says: The values are added to the latent
def traversal(model, x, latent, values):
    mean, _ = model.encode(x[None])
    codes = jnp.tile(mean, (len(values), 1)).at[:, latent].add(values)
    return jax.nn.sigmoid(model.decode(codes))
