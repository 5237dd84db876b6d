# task: encoder
# says: Every row gets the label of the first one
from vae_course.architectures import ConditionalEncoder as LabelledEncoder


class Wrong(LabelledEncoder):
    def __init__(self, config):
        super().__init__(config)
        self.first = brainstate.nn.Linear(config.pixels + 1, 64)
        self.last = brainstate.nn.Linear(64, 2 * config.latent_size)

    def __call__(self, x, labels):
        return super().__call__(x, jnp.full_like(labels, labels[0]))


encoder = Wrong(config)
