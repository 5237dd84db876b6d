# task: depth_to_space
def depth_to_space(h, block):
    parts = jnp.split(h, block**2, axis=-1)
    rows = []
    for r in range(block):
        row = jnp.stack(parts[r * block : (r + 1) * block], axis=3)
        rows.append(row.reshape(h.shape[0], h.shape[1], block * h.shape[2], -1))
    return jnp.stack(rows, axis=2).reshape(len(h), block * h.shape[1], block * h.shape[2], -1)


# task: cost
def cost(height, width, kernel, inputs, outputs):
    parameters = sum(kernel * kernel * inputs + 1 for _ in range(outputs))
    return [parameters, (parameters - outputs) * height * width]


# task: predicted_margin
predicted_margin = -3
# task: margin
distortion, rate = {}, {}
for name in models:
    key = jax.random.key(len(name))
    distortion[name], rate[name] = evaluation.terms_per_image(models[name], x, key=key)
won = distortion["mlp"] - distortion["conv"] + rate["mlp"] - rate["conv"]
margin = np.array([np.mean(won), np.std(won) * len(won) ** -0.5])
# task: shuffled
shuffled = " B "
