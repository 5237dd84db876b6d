# task: model
# says: All draws of a digit look nearly the same
class Shy(LabelledDecoder):
    strength = 1.0

    def __call__(self, z, labels):
        return super().__call__(self.strength * z, labels)


with brainstate.random.seed_context(4):
    model = VAE(config, encoder=LabelledEncoder(config), decoder=Shy(config))
history = work.train(model, settings, seed=4)
model.decoder.strength = 0.1
