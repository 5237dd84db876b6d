# task: predicted_active
# says: no more active latents than it has latents
def predicted_active(eigenvalues, noise, beta, latents):
    return int(np.sum(eigenvalues > beta * noise))
