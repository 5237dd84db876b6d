# task: encoder
class LabelledEncoder(brainstate.nn.Module):
    def __init__(self, config):
        super().__init__()
        self.table = brainstate.ParamState(brainstate.random.normal(0, 0.3, (10, 64)))
        self.hidden = brainstate.nn.Linear(config.pixels, 64)
        self.mean = brainstate.nn.Linear(64, config.latent_size)
        self.logvar = brainstate.nn.Linear(64, config.latent_size)

    def __call__(self, x, labels):
        h = jnp.tanh(self.hidden(x.reshape(-1, 784)) + self.table.value[labels])
        return self.mean(h), self.logvar(h)


encoder = LabelledEncoder(config)
# task: decoder
class LabelledDecoder(brainstate.nn.Module):
    def __init__(self, config):
        super().__init__()
        self.first = brainstate.nn.Linear(config.latent_size + 10, 64)
        self.second = brainstate.nn.Linear(64 + 10, 784)

    def __call__(self, z, labels):
        y = (labels[:, None] == jnp.arange(10)).astype(z.dtype)
        h = jax.nn.relu(self.first(jnp.hstack([y, z])))
        return self.second(jnp.hstack([h, y])).reshape(len(z), 28, 28)


decoder = LabelledDecoder(config)
