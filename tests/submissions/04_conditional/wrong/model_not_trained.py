# task: model
# says: guessing gives 10 %
# loses: model
with brainstate.random.seed_context(4):
    model = VAE(config, encoder=LabelledEncoder(config), decoder=LabelledDecoder(config))
