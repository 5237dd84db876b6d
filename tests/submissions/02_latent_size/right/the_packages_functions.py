# task: eigenvalues
def eigenvalues(x):
    rows = jnp.reshape(jnp.asarray(x), (len(x), -1))
    return jnp.linalg.svd(rows - rows.mean(0), compute_uv=False)[: rows.shape[1]] ** 2 / len(x)
# task: measured
from vae_course import evaluation

measured = {}
for size, model in models.items():
    result = evaluation.evaluate(model, x_test, key=jax.random.key(5))
    units = evaluation.active_units(model, x_test, threshold=0.1)
    measured[size] = [result.negative_elbo, units.active]
# task: enough
enough = np.int64(min(s for s in SIZES if measured[s][0] < min(m[0] for m in measured.values()) + 2))
