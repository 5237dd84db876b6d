# task: models
# says: A β computed from a kl_weight would move
import dataclasses

models, histories = {}, {}
for latents in SIZES:
    shape = ModelConfig(hidden_sizes=hidden, latent_size=latents, activation="silu")
    models[latents] = training.init_model(shape, seed=0)
    moving = dataclasses.replace(recipe, beta=0.1 * 784 / latents)
    histories[latents] = work.train(models[latents], moving)
