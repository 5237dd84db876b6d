# task: beta_norm
# says: The ratio is upside down
beta_norm = 10 * 784 / 6
