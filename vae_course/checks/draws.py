"""The draws of a notebook whose key is public, in NumPy: whoever judges needs no compiler for them.

``jax.random``'s generator is Threefry-2x32 with 20 rounds (Salmon et al. 2011, "Parallel random
numbers: as easy as 1, 2, 3") applied to the number of each element.
"""

import numpy as np

__all__ = ["binarized", "uniform"]

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA
PART = 2**18  # numbers at a time, so that memory stays small


def binarized(images: np.ndarray, *, seed: int) -> np.ndarray:
    """``data.binarize(images, "stochastic", key=jax.random.key(seed))``, float32 zeros and ones."""
    grey = (images.astype(np.float32) / np.float32(255)).reshape(-1)
    return (uniform(seed, grey.size) < grey).astype(np.float32).reshape(images.shape)


def uniform(seed: int, count: int) -> np.ndarray:
    """``jax.random.uniform(jax.random.key(seed), (count,))``.

    Args:
        seed: from 0 up to 2³¹.
        count: how many numbers.

    Returns:
        ``(count,)``, float32 in [0, 1).
    """
    out = np.empty(count, np.float32)
    for start in range(0, count, PART):
        numbers = np.arange(start, min(start + PART, count), dtype=np.uint32)
        # The 23 highest bits become the fraction of a float between 1 and 2.
        bits = (_threefry(np.uint32(seed), numbers) >> np.uint32(9)) | np.uint32(0x3F800000)
        out[start : start + len(numbers)] = bits.view(np.float32) - np.float32(1)
    return out


def _threefry(seed: np.uint32, numbers: np.ndarray) -> np.ndarray:
    """The two words of each block, exclusive-or: the bits of ``jax.random``."""
    keys = (np.uint32(0), seed, seed ^ np.uint32(PARITY))
    a, b = np.full_like(numbers, keys[0]), numbers + keys[1]
    for block in range(5):
        for turn in ROTATIONS[block % 2]:
            a += b
            b = (b << np.uint32(turn)) | (b >> np.uint32(32 - turn))
            b ^= a
        a += keys[(block + 1) % 3]
        b += keys[(block + 2) % 3] + np.uint32(block + 1)
    return a ^ b
