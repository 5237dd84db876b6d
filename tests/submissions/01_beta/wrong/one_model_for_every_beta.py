# task: models
# says: At β = 50 the rate should be all but 0
model = training.init_model(shape, seed=0)
work.train(model, dataclasses.replace(recipe, beta=1.0))
models = {beta: model for beta in BETAS}
