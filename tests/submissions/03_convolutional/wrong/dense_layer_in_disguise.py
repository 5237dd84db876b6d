# task: encoder
# says: A feature sees nearly the whole image
from vae_course.architectures import ConvEncoder


class Wrong(ConvEncoder):
    def __init__(self, config):
        super().__init__(config)
        self.dense = brainstate.nn.Linear(784, 49 * config.channels[1])

    def features(self, x):
        return jax.nn.silu(self.dense(x.reshape(len(x), -1))).reshape(len(x), 7, 7, -1)


encoder = Wrong(config)
