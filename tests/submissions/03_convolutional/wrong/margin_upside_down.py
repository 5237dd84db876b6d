# task: margin
# says: The sign is wrong
totals = {
    name: sum(evaluation.terms_per_image(model, x, key=jax.random.key(4)))
    for name, model in models.items()
}
gaps = totals["conv"] - totals["mlp"]
margin = (gaps.mean(), gaps.std() / np.sqrt(len(gaps)))
