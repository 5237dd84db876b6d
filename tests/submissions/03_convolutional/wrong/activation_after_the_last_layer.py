# task: decoder
# says: No logit is negative
# loses: decoder, models
class ConvDecoder(Decoder):
    def __init__(self, config):
        super().__init__(config)
        few, many = config.channels
        up = brainstate.nn.ConvTranspose2d
        self.to_14 = up((7, 7, many), few, 3, stride=2, b_init=jnp.zeros)
        self.to_28 = up((14, 14, few), 1, 3, stride=2, b_init=jnp.zeros)

    def upsample(self, h):
        return jax.nn.relu(self.to_28(jax.nn.silu(self.to_14(h))))[..., 0] * 10


decoder = ConvDecoder(config)
