# task: beta_loss
def beta_loss(logits, x, mean, logvar, beta):
    distortions, rates = [], []
    for score, image, m, v in zip(*map(np.asarray, (logits, x, mean, logvar))):
        distortions.append(np.logaddexp(0, np.where(image == 1, -score, score)).sum())
        rates.append(((m**2 + np.exp(v) - 1 - v) / 2).sum())
    distortion, rate = np.mean(distortions), np.mean(rates)
    return distortion + beta * rate, distortion, rate
# task: beta_of_64
beta_of_64 = 2.45 / 2
# task: predicted_best
predicted_best = 50
# task: models
def trained_at(beta):
    model = training.init_model(shape, seed=0)
    work.train(model, dataclasses.replace(recipe, beta=float(beta)))
    return model


models = {beta: trained_at(beta) for beta in reversed(BETAS)}
# task: prior_images
def prior_images(model, count, *, key):
    draws = np.random.default_rng(np.asarray(jax.random.key_data(key))).normal(
        size=(count, model.config.latent_size)
    )
    return 1 / (1 + np.exp(-np.asarray(model.decode(jnp.asarray(draws, jnp.float32)))))
# task: variety
def variety(p):
    p = np.asarray(p, np.float64)
    entropy = lambda q: -np.sum(q * np.log(np.maximum(q, 1e-300)), axis=-1)
    return float(np.exp(entropy(p.mean(0)) - entropy(p).mean()))
# task: why_larger
why_larger = " B "
