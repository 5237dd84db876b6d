# task: models
# says: not as a kl_weight
models = {}
for beta in BETAS:
    models[beta] = training.init_model(shape, seed=0)
    weight = kl_weight(beta, 784, latents)
    work.train(models[beta], dataclasses.replace(recipe, beta=weight))
