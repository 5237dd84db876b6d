# task: kl_between
def kl_between(mean, logvar, other_mean, other_logvar):
    mean, logvar, other_mean, other_logvar = map(
        np.asarray, (mean, logvar, other_mean, other_logvar)
    )
    totals = []
    for m, v, p, w in zip(mean, np.exp(logvar), other_mean, np.exp(other_logvar)):
        totals.append(sum(0.5 * np.log(w / v) + (v + (m - p) ** 2) / (2 * w) - 0.5))
    return totals
# task: log_likelihood
def log_likelihood(logits, x):
    signed = np.where(np.asarray(x) == 1, logits, -np.asarray(logits))
    return -np.logaddexp(0, -signed).reshape(len(signed), -1).sum(1)
# task: repaired_entropy
def repaired_entropy(logits):
    p = jax.nn.sigmoid(logits)
    return jnp.sum(jax.nn.softplus(logits) - p * logits, axis=-1)
# task: repaired_kl
def repaired_kl(mean, logvar):
    return kl_between(mean, logvar, 0 * mean, 0 * logvar)
# task: kl_in_bits
kl_in_bits = (2**2 + 0.25 - 1 - np.log(0.25)) / 2 / np.log(2)
# task: which_estimate
which_estimate = " B "
