# task: models
# says: with data=training_set?
models = {}
for beta in BETAS:
    models[beta] = [training.init_model(shape, seed=seed) for seed in SEEDS]
    for seed, model in zip(SEEDS, models[beta]):
        settings = dataclasses.replace(recipe, beta=beta, epochs=2)
        work.train(model, settings, seed=seed)
