# task: margin
# says: Only the distortions are compared
a, b = (
    evaluation.terms_per_image(models[name], x, key=jax.random.key(4))[0]
    for name in ("conv", "mlp")
)
margin = [(b - a).mean(), (b - a).std() / np.sqrt(len(a))]
