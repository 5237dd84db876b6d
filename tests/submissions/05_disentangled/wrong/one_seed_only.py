# task: models
# says: is missing
# loses: models, scores
models = {}
for beta in BETAS:
    model = training.init_model(shape, seed=0)
    work.train(model, dataclasses.replace(recipe, beta=beta), data=training_set, seed=0)
    models[beta] = [model]
