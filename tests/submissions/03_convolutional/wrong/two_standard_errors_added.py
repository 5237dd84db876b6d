# task: margin
# says: The two are not paired
totals = {
    name: sum(evaluation.terms_per_image(model, x, key=jax.random.key(4)))
    for name, model in models.items()
}
variances = [total.var() / len(total) for total in totals.values()]
margin = (totals["mlp"].mean() - totals["conv"].mean(), np.sqrt(sum(variances)))
