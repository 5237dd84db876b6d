# task: model
# says: z says nothing about the image
with brainstate.random.seed_context(4):
    model = VAE(config, encoder=LabelledEncoder(config), decoder=LabelledDecoder(config))
history = work.train(model, dataclasses.replace(settings, beta=30.0), seed=4)
