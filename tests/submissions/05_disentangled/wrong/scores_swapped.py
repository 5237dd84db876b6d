# task: scores
# says: The two β are swapped.
scores = {}
for beta, other in zip(BETAS, reversed(BETAS)):
    scores[beta] = [gap(information_of(m.encode(white)[0]), entropies) for m in models[other]]
