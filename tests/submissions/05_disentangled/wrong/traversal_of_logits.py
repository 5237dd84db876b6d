# task: traversal
# says: These are logits
def traversal(model, x, latent, values):
    mean, _ = model.encode(x[None])
    codes = jnp.tile(mean, (len(values), 1)).at[:, latent].set(values)
    return model.decode(codes)
