# task: measured
# says: z is the mean
from vae_course.losses import elbo_terms

measured = {}
for size, model in models.items():
    mean, logvar = model.encode(x_test)
    distortion, rate = elbo_terms(model.decode(mean), x_test, mean, logvar)
    measured[size] = (float(jnp.mean(distortion + rate)), active_units(mean))
