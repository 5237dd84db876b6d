# task: mutual_information
def mutual_information(a, b):
    from sklearn.metrics import mutual_info_score

    return mutual_info_score(np.asarray(a), np.asarray(b))
# task: models
models = {}
for beta in reversed(BETAS):
    models[beta] = ()
    for seed in SEEDS:
        settings = dataclasses.replace(recipe, beta=beta)
        models[beta] += (training.init_model(shape, seed=seed),)
        work.train(models[beta][-1], settings, data=training_set, seed=seed)
# task: scores
from vae_course import generation
from vae_course.factors import mutual_information_gap

scores = {}
for beta in BETAS:
    means = [generation.posterior_means(model, white) for model in models[beta]]
    scores[beta] = np.array([mutual_information_gap(mean, factors).gap for mean in means])
# task: traversal
def traversal(model, x, latent, values):
    (mean,) = generation.posterior_means(model, x[None])
    return generation.traverse(model, mean, latent, values)
