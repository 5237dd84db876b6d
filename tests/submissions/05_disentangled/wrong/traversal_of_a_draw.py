# task: traversal
# says: from the mean code, is
def traversal(model, x, latent, values):
    z = model(x[None], key=jax.random.key(0)).z
    codes = jnp.tile(z, (len(values), 1)).at[:, latent].set(values)
    return jax.nn.sigmoid(model.decode(codes))
