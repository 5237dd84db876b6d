# task: encoder
# says: logvar is never negative
from vae_course.architectures import ConditionalEncoder as LabelledEncoder


class Wrong(LabelledEncoder):
    def __call__(self, x, labels):
        mean, logvar = super().__call__(x, labels)
        return mean, jax.nn.softplus(logvar)


encoder = Wrong(config)
