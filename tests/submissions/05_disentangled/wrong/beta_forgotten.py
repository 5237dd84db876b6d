# task: models
# says: does each model get its β?
models = {}
for beta in BETAS:
    models[beta] = [training.init_model(shape, seed=seed) for seed in SEEDS]
    for seed, model in zip(SEEDS, models[beta]):
        work.train(model, recipe, data=training_set, seed=seed)
