# task: reparameterize
# says: No noise is added: z is the mean.
# loses: reparameterize
def reparameterize(mean, logvar, *, key):
    return mean
