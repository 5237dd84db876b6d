# task: decoder
# says: These are probabilities
from vae_course.architectures import ConvDecoder


class Wrong(ConvDecoder):
    def __call__(self, z):
        return jax.nn.sigmoid(super().__call__(z))


decoder = Wrong(config)
