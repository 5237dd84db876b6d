# task: beta_loss
from vae_course.distributions import bernoulli_log_prob, gaussian_kl


def beta_loss(logits, x, mean, logvar, beta):
    distortion = -bernoulli_log_prob(logits, x).mean()
    rate = gaussian_kl(mean, logvar).mean()
    return [distortion + beta * rate, distortion, rate]
# task: true_beta
from vae_course.losses import beta_from_kl_weight, kl_weight_from_beta


def true_beta(kl_weight, pixels, latents):
    return beta_from_kl_weight(kl_weight, pixels=pixels, latents=latents)


def kl_weight(beta, pixels, latents):
    return kl_weight_from_beta(beta, pixels=pixels, latents=latents)
# task: measured
from vae_course import evaluation

scored = {b: evaluation.evaluate(m, x_test, key=jax.random.key(9)) for b, m in models.items()}
measured = {beta: np.array([e.distortion, e.rate]) for beta, e in scored.items()}
# task: prior_images
def prior_images(model, count, *, key):
    return generation.sample_prior(model, count, key=key)
