"""Asking a student's model for codes and images; what follows from them is computed here."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import entr

from vae_course.checks.draws import binarized
from vae_course.checks.oracles import bernoulli, gaussian_kl
from vae_course.checks.plain import Handle
from vae_course.checks.specs import Context
from vae_course.checks.students import Student
from vae_course.checks.verdicts import Mistake, NotStarted, array, require

__all__ = [
    "HeldOut",
    "Remeasured",
    "codes",
    "distortions",
    "held_out",
    "logits",
    "paired_margin",
    "pairs",
    "redrawn",
    "remeasured",
    "require_learned",
    "terms",
]


PART = 500  # images


class HeldOut(NamedTuple):
    """Test images made black or white at random, ``(n, height, width)``, with their labels."""

    x: np.ndarray
    labels: np.ndarray


def held_out(context: Context, count: int) -> HeldOut:
    """``count`` test images, or all there are, drawn and binarised with ``context.rng``."""
    images = context.images
    chosen = context.rng.permutation(len(images.test_images))[:count]
    grey = images.test_images[chosen] / 255
    x = (context.rng.random(grey.shape) < grey).astype(np.float32)
    return HeldOut(x, images.test_labels[chosen].astype(np.int32))


def redrawn(context: Context, count: int) -> np.ndarray:
    """The ``x_test`` that notebooks measure on: test images at random, of a small set with repeats.

    Its keys are public, since a notebook states its numbers about these very images.
    """
    grey = context.images.test_images
    rows = np.random.default_rng(0).integers(len(grey), size=count)
    return binarized(grey[rows], seed=1)


def codes(student: Student, model: str | Handle, x: np.ndarray, *labels: Any) -> tuple[Any, Any]:
    """The mean and the logvar of each image, ``(n, latents)`` each, as float64.

    Raises:
        Mistake: if the model does not give two finite arrays of one shape.
        NotStarted: if there is no model.
    """
    answer = student.method(model, "encode", x, *labels)
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise Mistake(f"{model}.encode(x) should return (mean, logvar).")
    mean = array(answer[0], what=f"The mean of {model}.encode(x)")
    require(
        mean.ndim == 2 and len(mean) == len(x),
        f"The mean of {model}.encode(x) has shape {mean.shape}; "
        f"it should have (batch, latents), here ({len(x)}, …).",
    )
    logvar = array(answer[1], mean.shape, what=f"The logvar of {model}.encode(x)")
    finite = np.isfinite(mean).all() and np.isfinite(logvar).all()
    require(finite, f"{model}.encode(x) is NaN or infinite in places.")
    return mean, logvar


def logits(student: Student, model: str | Handle, z: np.ndarray, *labels: Any) -> np.ndarray:
    """Logits of each code, ``(n, height, width)``, as float64.

    Raises:
        Mistake: if the model does not give one finite image for each code.
        NotStarted: if there is no model.
    """
    what = f"{model}.decode(z)"
    answer = array(student.method(model, "decode", z.astype(np.float32), *labels), what=what)
    require(
        answer.ndim == 3 and len(answer) == len(z),
        f"{what} has shape {answer.shape}; it should have (batch, height, width).",
    )
    require(np.isfinite(answer).all(), f"{what} is NaN or infinite in places.")
    return answer


def terms(
    student: Student, model: str | Handle, x: np.ndarray, context: Context, *labels: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Distortion and rate of each image in nats, ``(n,)`` each, from one draw of z an image.

    The noise is drawn here; the formulas are the oracles'.

    Raises:
        Mistake: as `codes` and `logits`.
        NotStarted: if there is no model.
    """
    mean, logvar = codes(student, model, x, *labels)
    z = mean + np.exp(logvar / 2) * context.rng.normal(size=mean.shape)
    return distortions(student, model, z, x, *labels), gaussian_kl(mean, logvar).sum(1)


def distortions(
    student: Student, model: str | Handle, z: np.ndarray, x: np.ndarray, *labels: Any
) -> np.ndarray:
    """−log p(x | z) of each image in nats, ``(n,)``; asked in parts, so that memory stays small.

    Raises:
        Mistake: as `logits`, and if the images have another shape than ``x``.
        NotStarted: if there is no model.
    """
    found = []
    for start in range(0, len(x), PART):
        part = slice(start, start + PART)
        decoded = logits(student, model, z[part], *(label[part] for label in labels))
        wanted = x[part]
        require(
            decoded.shape == wanted.shape,
            f"{model}.decode(z) has shape {decoded.shape}, not {wanted.shape}.",
        )
        found.append(-bernoulli(decoded, wanted).sum((1, 2)))
    return np.concatenate(found)


def require_learned(price: np.ndarray, context: Context, *, what: str) -> None:
    """Refuse a model that describes fresh draws better than any model could have learned to.

    A draw ``x`` of a test image costs ``H(x | image)`` nats even for who is told the image, and
    ``log n`` more to tell which of ``n`` it is. A model that has only seen training images pays
    more; one that remembers what it was given to encode pays less.

    Args:
        price: −ELBO of each held-out draw in nats, ``(n,)``.
        context: whose images they are.
        what: the model, for the message.

    Raises:
        Mistake: if the mean price is below that.
    """
    grey, p = context.images.test_images, np.arange(256) / 255
    pixels = np.bincount(grey.reshape(-1), minlength=256)  # how many have each shade
    floor = pixels @ (entr(p) + entr(1 - p)) / len(grey) + np.log(len(grey))
    require(
        price.mean() > floor,
        f"{what} describes test images in {price.mean():.1f} nats, fewer than the {floor:.1f} that "
        "who knows these images needs: it is no model of them, but remembers what it is shown.",
    )


def paired_margin(lower: np.ndarray, higher: np.ndarray) -> tuple[float, float]:
    """By how much ``lower`` lies below ``higher`` over the same images, and its standard error."""
    gap = higher - lower
    return float(gap.mean()), float(gap.std(ddof=1) / np.sqrt(len(gap)))


class Remeasured(NamedTuple):
    """A model's terms in nats per image, means over images, as a notebook should find them."""

    distortion: float
    rate: float
    distortion_at_mean: float
    noise: float  # standard error of the difference of two right distortions
    mean: np.ndarray  # of q(z | x), (n, latents)


def remeasured(
    student: Student, model: str | Handle, x: np.ndarray, context: Context
) -> Remeasured:
    """Measure a model anew, to hold a notebook's numbers against.

    Raises:
        Mistake: as `codes` and `logits`.
        NotStarted: if there is no model.
    """
    (distortion, rate), (again, _) = (terms(student, model, x, context) for _ in range(2))
    mean, _ = codes(student, model, x)
    at_mean = distortions(student, model, mean, x).mean()
    noise = (distortion - again).std() / np.sqrt(len(x))
    return Remeasured(distortion.mean(), rate.mean(), at_mean, noise, mean)


def pairs(answer: Any, keys: Sequence[float], *, what: str, holds: str) -> np.ndarray:
    """A dictionary of pairs as two rows of numbers, ``(2, keys)``.

    Raises:
        Mistake: if it is no dictionary, lacks a key, or holds anything but pairs.
        NotStarted: if it is None.
    """
    if answer is None:
        raise NotStarted
    if not isinstance(answer, Mapping):
        raise Mistake(f"{what} should be a dictionary to {holds}.")
    missing = [f"{key:g}" for key in keys if key not in answer]
    require(not missing, f"{what} lacks {', '.join(missing)}.")
    rows = [array(answer[key], (2,), what=f"{what}[{key:g}]") for key in keys]
    return np.stack(rows, axis=1)
