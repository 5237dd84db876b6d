# task: measured
# says: which is positive
# loses: measured, enough
from vae_course.losses import elbo_terms

measured = {}
for size, model in models.items():
    out = model(x_test, key=jax.random.key(2))
    distortion, rate = elbo_terms(out.logits, x_test, out.mean, out.logvar)
    measured[size] = (-float(jnp.mean(distortion + rate)), active_units(out.mean))
