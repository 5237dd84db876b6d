# task: predicted_active
# says: β is not used
def predicted_active(eigenvalues, noise, beta, latents):
    return min(int(np.sum(eigenvalues > noise)), latents)
