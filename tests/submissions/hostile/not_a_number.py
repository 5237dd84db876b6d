import numpy as np


def kl_between(*args):
    return np.full(6, np.nan)


def log_likelihood(*args):
    return np.full(5, np.inf)


def reparameterize(mean, logvar, key):
    return mean * np.nan


repaired_sample = reparameterize
repaired_entropy = repaired_kl = kl_between
kl_in_bits = float("nan")
predicted_ratio = float("inf")
which_estimate = float("nan")
