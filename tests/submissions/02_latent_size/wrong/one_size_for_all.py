# task: models
# says: models[2] has 8 latents, not 2
# loses: models
shape = ModelConfig(hidden_sizes=hidden, latent_size=8, activation="silu")
model = training.init_model(shape, seed=0)
history = work.train(model, recipe)
models = {size: model for size in SIZES}
histories = {size: history for size in SIZES}
