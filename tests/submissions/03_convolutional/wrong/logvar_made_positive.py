# task: encoder
# says: logvar is never negative
from vae_course.architectures import ConvEncoder


class Wrong(ConvEncoder):
    def __call__(self, x):
        mean, logvar = super().__call__(x)
        return mean, jax.nn.softplus(logvar)


encoder = Wrong(config)
