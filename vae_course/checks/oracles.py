"""Independent truths, in NumPy and SciPy at float64: nothing here uses the package's own maths."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import expit, log_expit

__all__ = ["bernoulli", "entropy", "gaussian_kl"]


def gaussian_kl(
    mean: np.ndarray, logvar: np.ndarray, other_mean: Any = 0.0, other_logvar: Any = 0.0
) -> np.ndarray:
    """KL between diagonal Gaussians, of each latent, in nats: by the moments of the first.

    E_q[log q − log p] = ½ (log (v_p / v_q) + (v_q + (m_q − m_p)²) / v_p − 1).
    """
    mean, logvar, other_mean, other_logvar = _float64(mean, logvar, other_mean, other_logvar)
    variance, other = np.exp(logvar), np.exp(other_logvar)
    second_moment = variance + (mean - other_mean) ** 2
    return 0.5 * (np.log(other / variance) + second_moment / other - 1)


def bernoulli(logits: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Log probability of each pixel, in nats: x log σ(l) + (1 − x) log σ(−l), with SciPy."""
    logits, x = _float64(logits, x)
    return x * log_expit(logits) + (1 - x) * log_expit(-logits)


def entropy(logits: np.ndarray) -> np.ndarray:
    """Entropy of a Bernoulli pixel, in nats, from its log-odds."""
    (logits,) = _float64(logits)
    return -(expit(logits) * log_expit(logits) + expit(-logits) * log_expit(-logits))


def _float64(*arrays: Any) -> Sequence[np.ndarray]:
    return [np.asarray(array, np.float64) for array in arrays]
