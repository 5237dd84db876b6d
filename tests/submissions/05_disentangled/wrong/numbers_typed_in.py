# task: scores
# says: scores (β, seed, factor) is
scores = {
    beta: np.tile([0.7, 0.5, 0.8, 0.02] if beta > 1 else [0.1, 0.2, 0.2, 0.02], (len(SEEDS), 1))
    for beta in BETAS
}
