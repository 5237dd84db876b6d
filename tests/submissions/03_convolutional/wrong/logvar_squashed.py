# task: encoder
# says: logvar is squashed
from vae_course.architectures import ConvEncoder


class Wrong(ConvEncoder):
    def __call__(self, x):
        mean, logvar = super().__call__(x)
        return mean, jnp.tanh(logvar)


encoder = Wrong(config)
