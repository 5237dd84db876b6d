# task: beta_of_two
# says: The ratio is upside down
beta_of_two = 0.1 * 2 / 784
