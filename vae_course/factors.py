"""Synthetic images with known factors, and how well codes keep the factors apart.

A white L on black, at every combination of four independent factors. Because they are known,
it can be measured what a model's latents say about each: `mutual_information_gap`.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vae_course.data import ImageData
from vae_course.errors import ConfigError, ShapeError
from vae_course.image_cache import sha256_of

__all__ = [
    "FACTOR_NAMES",
    "FACTOR_SIZES",
    "FactorImages",
    "MutualInformation",
    "draw_shapes",
    "make_factors",
    "mutual_information_gap",
]

FACTOR_NAMES = ("horizontal", "vertical", "scale", "rotation")
# Where two factors change the images about equally, a model may mix them freely: its loss
# would not notice. So the L moves further sideways than up and down.
FACTOR_SIZES = (8, 4, 4, 12)
SIDE = 28
STEP = 1.2  # pixels between neighbouring positions
SCALES = (3.0, 6.0)
HELD_OUT, SPLIT_SEED = 0.1, 0


class FactorImages(NamedTuple):
    """Images with the factors that made them.

    ``images`` is uint8, ``(n, 28, 28)``; ``factors`` holds the level of each factor, from 0,
    int64, ``(n, 4)``, in the order of ``names``.
    """

    images: np.ndarray
    factors: np.ndarray
    names: tuple[str, ...]

    def as_data(self) -> ImageData:
        """The images as a data set to train on, a tenth of them held out.

        The split is a fixed random permutation. All labels are 0: there is one kind of shape.

        Returns:
            `vae_course.data.ImageData`, called ``"factors"``.
        """
        order = np.random.default_rng(SPLIT_SEED).permutation(len(self.images))
        test, train = np.split(self.images[order], [round(HELD_OUT * len(order))])
        labels = np.zeros(len(train), np.uint8), np.zeros(len(test), np.uint8)
        hashes = sha256_of(train), sha256_of(test)
        return ImageData("factors", train, labels[0], test, labels[1], *hashes)


class MutualInformation(NamedTuple):
    """What codes say about factors.

    ``gap`` is the share of each factor's entropy by which the most informative latent leads
    the second, in [0, 1], ``(k,)``; ``matrix`` the mutual information of each latent with each
    factor, ``(latents, k)``, and ``entropies`` those of the factors, ``(k,)``, both in nats;
    ``mean`` is the mean of ``gap``, the score that the literature reports.
    """

    gap: np.ndarray
    matrix: np.ndarray
    entropies: np.ndarray
    mean: float


def make_factors() -> FactorImages:
    """The L at all 8 · 4 · 4 · 12 = 1,536 combinations of its factors.

    Horizontal: 8 positions, and vertical: 4, both 1.2 pixels apart around the centre. Scale: 4
    sizes, half the L's side from 3 to 6 pixels. Rotation: 12 angles, 30° apart, all around; no
    angle looks like another. The last factor varies fastest.

    Returns:
        `FactorImages`; the same ones at every call.
    """
    factors = np.indices(FACTOR_SIZES).reshape(len(FACTOR_SIZES), -1).T
    columns, rows, scales, angles = FACTOR_SIZES
    images = draw_shapes(
        _around_zero(columns)[factors[:, 0]],
        _around_zero(rows)[factors[:, 1]],
        np.linspace(*SCALES, scales)[factors[:, 2]],
        2 * np.pi / angles * factors[:, 3],
    )
    return FactorImages(images, factors, FACTOR_NAMES)


def draw_shapes(
    horizontal: npt.ArrayLike, vertical: npt.ArrayLike, scale: npt.ArrayLike, angle: npt.ArrayLike
) -> np.ndarray:
    """Draw a white L on black for each set of factors, not for those of the grid alone.

    The L is a square without a quarter. A pixel's grey level is 255 · clip(½ − d, 0, 1), where
    d is the distance from its centre to the L's edge, in pixels, negative inside.

    Args:
        horizontal: how far the L's centroid lies right of the middle, in pixels, ``(n,)``.
        vertical: how far it lies below the middle, in pixels, ``(n,)``.
        scale: half the side of the square, in pixels, ``(n,)``; the area is 3 · scale².
        angle: clockwise rotation about the centroid, in radians, ``(n,)``.

    Returns:
        uint8, ``(n, 28, 28)``; what lies beyond the border is cut off.

    Raises:
        ShapeError: if the four are not vectors of one length, or not finite.
        ConfigError: if a scale is not above 0.
    """
    factors = [np.asarray(values, np.float32) for values in (horizontal, vertical, scale, angle)]
    if factors[0].ndim != 1 or len({values.shape for values in factors}) != 1:
        shapes = ", ".join(str(values.shape) for values in factors)
        raise ShapeError(f"The factors have shapes {shapes}.", "Give four vectors of one length.")
    if not np.isfinite(factors).all():
        raise ShapeError("Some factors are NaN or infinite.", "Give pixels and radians.")
    if (factors[2] <= 0).any():
        raise ConfigError(f"The smallest scale is {factors[2].min()}.", "Use scales above 0.")
    x, y, size, turn = (values[:, None, None] for values in factors)
    pixel = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2
    right, down = pixel[None, None, :] - x, pixel[None, :, None] - y  # (n, 1, 28), (n, 28, 1)
    u = (np.cos(turn) * right + np.sin(turn) * down) / size  # (n, 28, 28)
    v = (np.cos(turn) * down - np.sin(turn) * right) / size
    return np.rint(255 * np.clip(0.5 - size * _distance(u, v), 0, 1)).astype(np.uint8)


def mutual_information_gap(
    codes: npt.ArrayLike, factors: npt.ArrayLike, *, bins: int = 20, threshold: float = 0.01
) -> MutualInformation:
    """How far one latent, and one only, stands for each factor.

    MIGₖ = (I(z_top; vₖ) − I(z_second; vₖ)) / H(vₖ), where top and second are the two latents
    that share most information with factor k. It is 1 if one latent determines the factor and
    no other knows of it; 0 if two know as much, or if none knows anything.

    Each code is cut into bins of equal width between its smallest and largest value. Few bins
    hide information; many feign it: independent codes get about (bins − 1)(levels − 1) / 2n
    nats each. Compare scores of equal ``bins`` and n only.

    Args:
        codes: posterior means, ``(n, latents)``, at least two latents.
        factors: the level of each factor, whole numbers, ``(n, k)``, each factor varying.
        bins: number of bins of a code, at least 2.
        threshold: a code whose variance is not above this is inactive, as in
            `vae_course.evaluation.active_units`, and gets no information: its spread is noise
            of the encoder, which bins of its own width would magnify. 0 keeps all but constants.

    Returns:
        `MutualInformation`.

    Raises:
        ShapeError: if shapes do not fit, values are not finite or not whole numbers, a factor
            is constant, or there are fewer samples than cells in a table of bins and levels.
        ConfigError: if ``bins`` is below 2, or ``threshold`` below 0.

    Source:
        Chen, Li, Grosse and Duvenaud (2018), section 4.1, who draw codes from q(z | x); binned
        posterior means follow Locatello et al. (2019).
    """
    codes, factors = np.asarray(codes, np.float64), np.asarray(factors)
    if bins < 2 or not threshold >= 0:
        raise ConfigError(
            f"bins is {bins} and threshold is {threshold}.", "Use 2 bins or more, and 0 or more."
        )
    _require_pairs(codes, factors)
    levels = [np.unique(column, return_inverse=True)[1] for column in factors.T]
    _require_levels(levels, bins)
    cells = [_cells(code, bins if code.var() > threshold else 1) for code in codes.T]
    matrix = np.array([[_information(cell, level) for level in levels] for cell in cells])
    entropies = np.array([_information(level, level) for level in levels])
    second, top = np.sort(matrix, axis=0)[-2:]
    gap = (top - second) / entropies
    return MutualInformation(gap, matrix, entropies, float(gap.mean()))


def _around_zero(levels: int) -> np.ndarray:
    return STEP * (np.arange(levels) - (levels - 1) / 2)


def _distance(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """To the edge of an L of half-side 1 whose centroid is at zero, negative inside.

    The L lies in −1 ≤ u, v ≤ 1, without u, v > 0, and then moves by 1/6, its centroid.
    """
    u, v = u - 1 / 6, v - 1 / 6
    return np.minimum(_to_box(u + 0.5, v, 0.5, 1.0), _to_box(u, v + 0.5, 1.0, 0.5))


def _to_box(u: np.ndarray, v: np.ndarray, half_width: float, half_height: float) -> np.ndarray:
    u, v = np.abs(u) - half_width, np.abs(v) - half_height
    outside = np.hypot(np.maximum(u, 0), np.maximum(v, 0))
    return outside + np.minimum(np.maximum(u, v), 0)


def _require_pairs(codes: np.ndarray, factors: np.ndarray) -> None:
    if codes.ndim != 2 or factors.ndim != 2 or len(codes) != len(factors):
        raise ShapeError(
            f"The codes have shape {codes.shape}, the factors {factors.shape}.",
            "Give (n, latents) and (n, k), a row for each image.",
        )
    if codes.shape[1] < 2 or factors.shape[1] < 1:
        raise ShapeError(
            f"There are {codes.shape[1]} latents and {factors.shape[1]} factors.",
            "A gap is between two latents at least, for each of one factor or more.",
        )
    if not np.isfinite(codes).all():
        raise ShapeError("Some codes are NaN or infinite.", "Find out where they come from.")
    if not np.issubdtype(factors.dtype, np.integer):
        raise ShapeError(f"The factors are {factors.dtype}.", "Number their levels: 0, 1, 2, ….")


def _require_levels(levels: list[np.ndarray], bins: int) -> None:
    counts = [level.max(initial=0) + 1 for level in levels]
    if min(counts) < 2:
        raise ShapeError(
            f"Factor {counts.index(min(counts))} never varies.", "Leave it out: it has no entropy."
        )
    if len(levels[0]) < bins * max(counts):
        raise ShapeError(
            f"There are {len(levels[0])} samples for tables of {bins} × {max(counts)} cells.",
            "Give more samples, or use fewer bins: the information would be mostly bias.",
        )


def _cells(code: np.ndarray, bins: int) -> np.ndarray:
    """The bin that each value is in, ``(n,)``; the largest value belongs to the last one."""
    edges = np.linspace(code.min(), code.max(), bins + 1)[1:-1]
    return np.digitize(code, edges)


def _information(first: np.ndarray, second: np.ndarray) -> float:
    """Mutual information of two columns of whole numbers from 0, in nats."""
    joint = first * (second.max() + 1) + second
    # Rounding could leave a −1e-16 where there is nothing.
    return max(0.0, _entropy(first) + _entropy(second) - _entropy(joint))


def _entropy(values: np.ndarray) -> float:
    counts = np.bincount(values)
    share = counts[counts > 0] / len(values)
    return float(-(share * np.log(share)).sum())
