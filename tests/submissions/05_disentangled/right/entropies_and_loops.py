# task: mutual_information
def entropy_of(values):
    share = np.unique(values, return_counts=True)[1] / len(values)
    return -sum(share * np.log(share))


def mutual_information(a, b):
    pairs = np.asarray(a) * 1000 + np.asarray(b)
    return entropy_of(a) + entropy_of(b) - entropy_of(pairs)
# task: gap
def gap(information, entropies):
    found = []
    for column, entropy in zip(np.asarray(information).T, entropies):
        rest = sorted(column.tolist())
        largest = rest.pop()
        found.append((largest - max(rest)) / entropy)
    return found
# task: beta_norm
beta_norm = 0.0765
# task: predicted_gain
predicted_gain = -1
# task: scores
scores = {}
for beta, of_a_beta in models.items():
    halves = [np.concatenate([np.asarray(m.encode(part)[0]) for part in (white[:700], white[700:])])
              for m in of_a_beta]
    scores[beta] = jnp.stack([jnp.array(gap(information_of(mean), entropies)) for mean in halves])
# task: traversal
def traversal(model, x, latent, values):
    images = []
    for value in values:
        code = np.array(model.encode(x[None])[0])
        code[0, latent] = value
        images.append(1 / (1 + np.exp(-np.asarray(model.decode(jnp.array(code))[0]))))
    return np.stack(images)
# task: may_be_concluded
may_be_concluded = " B "
