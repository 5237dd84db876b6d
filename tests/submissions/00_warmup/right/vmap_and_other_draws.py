# task: kl_between
@jax.jit
def kl_between(mean, logvar, other_mean, other_logvar):
    def one(m, v, p, w):
        return 0.5 * ((jnp.exp(v) + (m - p) ** 2) * jnp.exp(-w) - 1 + w - v)
    return jax.vmap(jax.vmap(one))(mean, logvar, other_mean, other_logvar).sum(1)
# task: log_likelihood
def log_likelihood(logits, x):
    each = x * jax.nn.log_sigmoid(logits) + (1 - x) * jax.nn.log_sigmoid(-logits)
    return each.sum((-2, -1))
# task: reparameterize
def reparameterize(mean, logvar, *, key):
    row_keys = jax.random.split(key, len(mean))
    eps = jax.vmap(lambda k: jax.random.normal(k, mean.shape[1:]))(row_keys)
    return mean + jnp.sqrt(jnp.exp(logvar)) * eps
# task: repaired_sample
def repaired_sample(mean, logvar, *, key):
    uniform = jax.random.uniform(key, mean.shape, minval=1e-6, maxval=1 - 1e-6)
    return jax.scipy.stats.norm.ppf(uniform, loc=mean, scale=jnp.exp(logvar) ** 0.5)
