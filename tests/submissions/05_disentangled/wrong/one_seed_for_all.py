# task: models
# says: give each its own seed
models = {}
for beta in BETAS:
    models[beta] = [training.init_model(shape, seed=0) for _ in SEEDS]
    for model in models[beta]:
        settings = dataclasses.replace(recipe, beta=beta)
        work.train(model, settings, data=training_set, seed=0)
