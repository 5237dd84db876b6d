# task: scores
# says: These are the scores of codes drawn at random
scores = {}
for beta in BETAS:
    rows = []
    for model in models[beta]:
        mean, logvar = model.encode(white)
        z = mean + jnp.exp(logvar / 2) * jax.random.normal(jax.random.key(0), mean.shape)
        rows.append(gap(information_of(z), entropies))
    scores[beta] = np.array(rows)
