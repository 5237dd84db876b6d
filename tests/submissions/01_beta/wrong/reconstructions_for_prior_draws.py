# task: prior_images
# says: These look like reconstructions
def prior_images(model, count, *, key):
    rows = jax.random.randint(key, (count,), 0, len(x_test))
    return jax.nn.sigmoid(model(x_test[rows], key=key).logits)
