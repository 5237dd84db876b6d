# task: scores
# says: Latents that say nothing were counted
def table(codes):
    cells = [np.digitize(c, np.linspace(c.min(), c.max(), 21)[1:-1]) for c in np.asarray(codes).T]
    return np.array([[mutual_information(c, f) for f in factors.T] for c in cells])


scores = {}
for beta in BETAS:
    means = [model.encode(white)[0] for model in models[beta]]
    scores[beta] = np.array([gap(table(mean), entropies) for mean in means])
