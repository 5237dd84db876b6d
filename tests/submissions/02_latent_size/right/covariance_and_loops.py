# task: eigenvalues
def eigenvalues(x):
    pixels = np.reshape(x, (len(x), -1)).T
    return sorted(np.linalg.eigvalsh(np.cov(pixels)).tolist(), reverse=True)
# task: predicted_active
def predicted_active(eigenvalues, noise, beta, latents):
    count = 0
    for value in eigenvalues:
        if value > beta * noise and count < latents:
            count += 1
    return float(count)
# task: predicted_units
predicted_units = 5
# task: models
def trained(size):
    shape = ModelConfig(hidden_sizes=hidden, latent_size=size, activation="silu")
    model = training.init_model(shape, seed=0)
    return model, work.train(model, recipe)


both = {size: trained(size) for size in SIZES}
models = {size: pair[0] for size, pair in both.items()}
histories = {size: pair[1] for size, pair in both.items()}
# task: active_units
def active_units(mean, threshold=0.1):
    centred = mean - jnp.mean(mean, axis=0, keepdims=True)
    return jnp.sum(jnp.mean(centred**2, axis=0) > threshold)
