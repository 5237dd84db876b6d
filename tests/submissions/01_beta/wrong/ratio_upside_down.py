# task: true_beta
# says: The ratio is upside down
# loses: true_beta, beta_of_64
def true_beta(kl_weight, pixels, latents):
    return kl_weight * latents / pixels


def kl_weight(beta, pixels, latents):
    return beta * pixels / latents
