# task: encoder
class ConvEncoder(brainstate.nn.Module):
    def __init__(self, config):
        super().__init__()
        few, many = config.channels
        self.one = brainstate.nn.Conv2d((28, 28, 1), few, 5, stride=2)
        self.two = brainstate.nn.Conv2d((14, 14, few), many, 4, stride=2, padding=1)
        self.mean = brainstate.nn.Linear(49 * many, config.latent_size)
        self.logvar = brainstate.nn.Linear(49 * many, config.latent_size)

    def features(self, x):
        return jax.nn.relu(self.two(jax.nn.relu(self.one(x.reshape(-1, 28, 28, 1)))))

    def __call__(self, x):
        h = self.features(x).reshape(x.shape[0], -1)
        return self.mean(h), jnp.clip(self.logvar(h), -12, 12)


encoder = ConvEncoder(config)


# task: decoder
class ConvDecoder(Decoder):
    def __init__(self, config):
        super().__init__(config)
        few, many = config.channels
        self.one = brainstate.nn.ConvTranspose2d((7, 7, many), few, 4, stride=2)
        self.two = brainstate.nn.Conv2d((28, 28, few), 1, 3, b_init=jnp.zeros)

    def upsample(self, h):
        h = jnp.tanh(self.one(h)).repeat(2, axis=1).repeat(2, axis=2)
        return self.two(h).squeeze(-1)


decoder = ConvDecoder(config)
