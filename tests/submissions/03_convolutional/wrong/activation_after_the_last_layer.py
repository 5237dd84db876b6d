# task: decoder
# says: No logit is negative
from vae_course.architectures import ConvDecoder


class Wrong(ConvDecoder):
    def __call__(self, z):
        return 10 * jax.nn.relu(super().__call__(z))


decoder = Wrong(config)
