# task: model
# says: The same z with another label gives another style
class Turning(LabelledDecoder):
    turns = False

    def __call__(self, z, labels):
        turned = jnp.where(jnp.asarray(labels)[:, None] % 2, -z, z)
        return super().__call__(turned if self.turns else z, labels)


with brainstate.random.seed_context(4):
    model = VAE(config, encoder=LabelledEncoder(config), decoder=Turning(config))
history = work.train(model, settings, seed=4)
model.decoder.turns = True
