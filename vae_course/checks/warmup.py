"""Exercise 00, the warm-up: what the package does not hand over, and three bugs to find."""

import math

import numpy as np

from vae_course.checks.oracles import bernoulli, entropy, gaussian_kl
from vae_course.checks.plain import Key
from vae_course.checks.specs import Context, Exercise, Task
from vae_course.checks.students import Student
from vae_course.checks.verdicts import array, choice, near, number, require, same

__all__ = ["EXERCISE"]

PIXELS = (5, 4, 3)


def _kl_between(student: Student, context: Context) -> None:
    shape = (6, 3)
    m, p = context.rng.normal(size=(2, *shape)).astype(np.float32)
    v, w = context.rng.uniform(-2, 2, (2, *shape)).astype(np.float32)
    # Two images with positive logvars only: there log(logvar) is a number, and not NaN.
    v[:2], w[:2] = np.abs(v[:2]), np.abs(w[:2])
    kl = gaussian_kl(m, v, p, w)
    near(
        student.call("kl_between", m, v, p, w),
        kl.sum(-1),
        what="kl_between(mean, logvar, other_mean, other_logvar)",
        mistakes={
            "The KL is averaged over the latents, not summed.": kl.mean(-1),
            "The KL is summed over the images too: it should be one number for each image.": (
                kl.sum()
            ),
            "The KL is not summed over the latents.": kl,
            "The KL is summed over the images, not over the latents.": kl.sum(0),
            "The factor ½ is missing.": 2 * kl.sum(-1),
            "The sign is wrong: this is −KL.": -kl.sum(-1),
            "The KL is reversed: this is KL(p ‖ q), not KL(q ‖ p).": gaussian_kl(p, w, m, v).sum(
                -1
            ),
            "logvar was used as log-std: the variance is exp(logvar), not exp(2·logvar).": (
                gaussian_kl(m, 2 * v, p, 2 * w).sum(-1)
            ),
            "logvar was used as the variance itself, without exp.": _kl_without_exp(m, v, p, w),
            "The second Gaussian is ignored: this is the KL to N(0, I).": gaussian_kl(m, v).sum(-1),
            "The difference of the means is not divided by the second variance.": (
                gaussian_kl(m, v, m, w).sum(-1) + 0.5 * ((m - p) ** 2).sum(-1)
            ),
            "The difference of the means is not squared.": (
                gaussian_kl(m, v, m, w) + 0.5 * (m - p) * np.exp(-w)
            ).sum(-1),
        },
    )


def _kl_without_exp(m: np.ndarray, v: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return (0.5 * (np.log(w / v) + (v + (m - p) ** 2) / w - 1)).sum(-1)


def _log_likelihood(student: Student, context: Context) -> None:
    what = "log_likelihood(logits, x)"
    logits = context.rng.normal(0, 2, PIXELS).astype(np.float32)
    x = (context.rng.random(PIXELS) < 0.5).astype(np.float32)
    each = bernoulli(logits, x)
    once, twice = _of_probability(logits, x), _of_probability(_sigmoid(_sigmoid(logits)), x)
    near(
        student.call("log_likelihood", logits, x),
        each.sum((1, 2)),
        what=what,
        mistakes={
            "It is averaged over the pixels, not summed.": each.mean((1, 2)),
            "It is summed over the images too: it should be one number for each image.": each.sum(),
            "It is not summed over the pixels.": each,
            "The sign is wrong: this is the distortion, −log p(x | z).": -each.sum((1, 2)),
            "The sigmoid is forgotten: the logits were used as probabilities.": once.sum((1, 2)),
            "The sigmoid is applied twice.": twice.sum((1, 2)),
            "Only the white pixels count: the term for x = 0 is missing.": (x * each).sum((1, 2)),
            "Only the black pixels count: the term for x = 1 is missing.": (
                ((1 - x) * each).sum((1, 2))
            ),
            "x and the logits are swapped, or x is turned into 1 − x.": (
                bernoulli(logits, 1 - x).sum((1, 2))
            ),
        },
    )
    extreme = np.sign(logits) * np.float32(150)
    got = array(student.call("log_likelihood", extreme, x), (PIXELS[0],), what=what)
    require(
        np.isfinite(got).all(),
        "It gives NaN or −inf where a logit is 150 or −150: a probability was computed on the way "
        "and rounded to 0 or 1. Stay with the logits.",
    )
    require(
        same(got, bernoulli(extreme, x).sum((1, 2)), 1e-4),
        "A probability was clipped: where a logit is 150 and x = 0 the answer is −150.",
    )


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.asarray(logits, np.float64)))


def _of_probability(p: np.ndarray, x: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        p = np.asarray(p, np.float64)
        return x * np.log(p) + (1 - x) * np.log(1 - p)


def _spread_mistakes(logvar: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "logvar was used as log-std: the standard deviation is exp(logvar / 2).": np.exp(logvar),
        "logvar was used as the standard deviation, without exp.": np.abs(logvar),
        "No noise is added: z is the mean.": np.zeros_like(logvar),
        "The noise is not scaled by the standard deviation.": np.ones_like(logvar),
        "The sign is wrong: the noise is scaled by exp(−logvar / 2).": np.exp(-logvar / 2),
    }


def _sampler(name: str, student: Student, context: Context) -> None:
    """Judge draws by their statistics: any right way of drawing the noise will do."""
    rows, latents = 4000, 4
    what = f"{name}(mean, logvar, key=key)"
    mean = context.rng.uniform(3, 6, latents).astype(np.float32)
    logvar = np.asarray([-2.5, -1.2, 0.9, 2.3], np.float32) + np.float32(
        context.rng.uniform(-0.1, 0.1)
    )
    seed = int(context.rng.integers(2**31))
    many = np.tile(mean, (rows, 1)), np.tile(logvar, (rows, 1))
    z = array(student.call(name, *many, key=Key(seed)), (rows, latents), what=what)
    require(np.isfinite(z).all(), f"{what} is NaN or infinite in places.")
    require(
        not (np.ptp(z, axis=0) < 1e-6).all() or np.allclose(z, mean, atol=1e-5),
        "Every image of the batch gets the same noise: draw it in the shape of mean.",
    )
    noise = (z - mean) / np.exp(logvar / 2)
    require(
        latents == 1 or not np.allclose(noise, noise[:, :1], atol=1e-3) or np.allclose(noise, 0),
        "Every latent of an image gets the same noise: draw it in the shape of mean.",
    )
    near(
        z.std(axis=0),
        np.exp(np.float64(logvar) / 2),
        what=f"The standard deviation of {what}",
        mistakes=_spread_mistakes(logvar.astype(np.float64)),
        tolerance=0.07,  # the standard error of a standard deviation of 4,000 draws is 1.1 %
    )
    near(
        z.mean(axis=0) / np.exp(logvar / 2),
        mean / np.exp(logvar / 2),
        what=f"The mean of {what}, in standard deviations,",
        mistakes={"The mean is not added.": np.zeros(latents)},
        tolerance=0.08,  # five standard errors of a mean of 4,000 draws
    )
    again = array(student.call(name, *many, key=Key(seed)), (rows, latents), what=what)
    require(np.array_equal(z, again), "The same key gives other draws: use the key, and only it.")
    other = array(student.call(name, *many, key=Key(seed + 1)), (rows, latents), what=what)
    require(not np.array_equal(z, other), "Another key gives the same draws: the key is not used.")


def _reparameterize(student: Student, context: Context) -> None:
    _sampler("reparameterize", student, context)


def _repaired_sample(student: Student, context: Context) -> None:
    _sampler("repaired_sample", student, context)


def _repaired_entropy(student: Student, context: Context) -> None:
    what = "repaired_entropy(logits)"
    logits = context.rng.normal(0, 2, (6, 5)).astype(np.float32)
    each = entropy(logits)
    near(
        student.call("repaired_entropy", logits),
        each.sum(-1),
        what=what,
        mistakes={
            "It is averaged over the pixels, not summed.": each.mean(-1),
            "The sign is wrong: an entropy of a pixel is never negative.": -each.sum(-1),
            "It is in bits, not in nats.": each.sum(-1) / math.log(2),
        },
    )
    logits[:, 0], logits[:, 1] = 120, -120
    got = array(student.call("repaired_entropy", logits), (6,), what=what)
    require(
        np.isfinite(got).all(),
        "It is still NaN where a logit is 120 or −120: 0 · log 0 is NaN, so log must not see a "
        "probability that was rounded to 0.",
    )
    near(got, entropy(logits).sum(-1), what=what)


def _repaired_kl(student: Student, context: Context) -> None:
    m = context.rng.normal(size=(6, 3)).astype(np.float32)
    v = context.rng.uniform(-2, 2, (6, 3)).astype(np.float32)
    kl = gaussian_kl(m, v)
    near(
        student.call("repaired_kl", m, v),
        kl.sum(-1),
        what="repaired_kl(mean, logvar)",
        mistakes={
            "This is still the broken one: the ½ must weigh the squared mean too.": (
                kl + 0.5 * m.astype(np.float64) ** 2
            ).sum(-1),
            "The factor ½ is missing.": 2 * kl.sum(-1),
            "The KL is averaged over the latents, not summed.": kl.mean(-1),
            "The sign is wrong: this is −KL.": -kl.sum(-1),
            "logvar was used as log-std: the variance is exp(logvar), not exp(2·logvar).": (
                gaussian_kl(m, 2 * v).sum(-1)
            ),
        },
    )


def _prediction(student: Student, context: Context) -> None:
    value = number(student.value("predicted_ratio"), what="predicted_ratio")
    require(value > 0, "A ratio of two spreads is above 0. Any such guess earns the point.")


def _kl_in_bits(student: Student, context: Context) -> None:
    nats = float(gaussian_kl(np.asarray(2.0), np.log(np.asarray(0.25))))
    near(
        number(student.value("kl_in_bits"), what="kl_in_bits"),
        nats / math.log(2),
        what="kl_in_bits",
        mistakes={
            "This is the KL in nats: divide by log 2.": nats,
            "It was multiplied by log 2: a bit is smaller than a nat, so there are more of them.": (
                nats * math.log(2)
            ),
            "½ was used as the variance: the standard deviation is ½, so the variance is ¼.": (
                float(gaussian_kl(np.asarray(2.0), np.log(np.asarray(0.5)))) / math.log(2)
            ),
            "The factor ½ is missing.": 2 * nats / math.log(2),
        },
        tolerance=2e-3,
    )


def _which_estimate(student: Student, context: Context) -> None:
    choice(
        student.value("which_estimate"),
        "b",
        {
            "a": "More samples make the estimate less noisy, at the price of time; the closed form "
            "has no noise at all.",
            "c": "The estimate is unbiased: its mean is the KL for any number of samples.",
        },
        what="which_estimate",
    )


EXERCISE = Exercise(
    id="00-warmup",
    title="Warm-up",
    minutes=45,
    tasks=(
        Task(
            "kl_between",
            "KL between two Gaussians",
            2,
            _kl_between,
            "theory#which-way-round-the-kl-goes",
        ),
        Task(
            "log_likelihood",
            "A log-likelihood from logits",
            2,
            _log_likelihood,
            "loss#the-nan-at-a-large-logit",
        ),
        Task(
            "reparameterize",
            "The reparameterization",
            2,
            _reparameterize,
            "encoder#a-gradient-through-a-die",
        ),
        Task(
            "repaired_entropy",
            "Find the NaN",
            2,
            _repaired_entropy,
            "loss#the-nan-at-a-large-logit",
        ),
        Task(
            "repaired_kl", "Find the missing ½", 2, _repaired_kl, "encoder#the-rate-in-closed-form"
        ),
        Task(
            "repaired_sample",
            "Find the swapped log-std",
            2,
            _repaired_sample,
            "encoder#two-mistakes-that-look-alike",
        ),
        Task("predicted_ratio", "A prediction", 1, _prediction),
        Task("kl_in_bits", "A KL in bits", 1, _kl_in_bits, "loss#two-terms-one-unit"),
        Task(
            "which_estimate",
            "Closed form or estimate",
            1,
            _which_estimate,
            "encoder#the-rate-in-closed-form",
        ),
        Task(
            "why_logvar",
            "Why the logarithm of the variance",
            2,
            None,
            "encoder#why-the-logarithm-of-the-variance",
        ),
    ),
)
