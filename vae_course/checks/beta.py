"""Exercise 01, β: the weighted loss, two conventions, a sweep, and what each β is good for."""

from typing import Any

import numpy as np
from scipy.special import expit

from vae_course.checks.classifier import digit_classifier
from vae_course.checks.oracles import bernoulli, gaussian_kl
from vae_course.checks.plain import Handle, Key
from vae_course.checks.probing import (
    codes,
    held_out,
    logits,
    paired_margin,
    pairs,
    redrawn,
    remeasured,
    require_learned,
    terms,
)
from vae_course.checks.specs import Context, Exercise, Task
from vae_course.checks.students import Student
from vae_course.checks.verdicts import array, choice, near, number, require

__all__ = ["EXERCISE"]

BETAS = {"full": (0.05, 1.0, 4.0, 50.0), "smoke": (0.05, 1.0, 50.0)}
COLLAPSED = 3.0  # most nats of rate at the largest β, where the codes say nothing
SPENT = 10.0  # least nats of rate at the smallest β
# By so many must the distortions of the two differ, and a measured one must not be off.
STANDARD_ERRORS = 5.0
VARIETY = 0.12  # relative error of the variety of PICTURES draws from the prior
HELD_OUT = {"full": 4000, "smoke": 2000}
PICTURES = 1000
PIXELS, LATENTS = (5, 4, 3), 6


def _beta_loss(student: Student, context: Context) -> None:
    rows, pixels, beta = PIXELS[0], PIXELS[1] * PIXELS[2], 2.5
    score = context.rng.normal(0, 2, PIXELS).astype(np.float32)
    x = (context.rng.random(PIXELS) < 0.5).astype(np.float32)
    mean = context.rng.normal(size=(rows, LATENTS)).astype(np.float32)
    logvar = context.rng.uniform(-2, 2, (rows, LATENTS)).astype(np.float32)
    each_d, each_r = -bernoulli(score, x).sum((1, 2)), gaussian_kl(mean, logvar).sum(1)
    d, r = each_d.mean(), each_r.mean()
    wide = gaussian_kl(mean, 2 * logvar).sum(1).mean()
    near(
        _triple(student.call("beta_loss", score, x, mean, logvar, beta), rows),
        _weighed(d, r, beta),
        what="(loss, distortion, rate)",
        mistakes={
            "The KL is averaged over the latents, not summed.": _weighed(d, r / LATENTS, beta),
            "The factor ½ of the KL is missing.": _weighed(d, 2 * r, beta),
            "The pixels are averaged, not summed.": _weighed(d / pixels, r, beta),
            "Pixels and latents are averaged: that is the tutorial's convention, and its weight "
            "is no β.": _weighed(d / pixels, r / LATENTS, beta),
            "β weighs the wrong term: it belongs to the rate.": [beta * d + r, d, r],
            "β weighs both terms.": [beta * (d + r), d, r],
            "β is not used: this is −ELBO.": [d + r, d, r],
            "The returned rate is already weighed: β belongs into the loss alone.": (
                [d + beta * r, d, beta * r]
            ),
            "The rate is subtracted: the loss is a price, and both terms cost.": (
                [d - beta * r, d, r]
            ),
            "β was used as a kl_weight: both terms are sums here, so nothing is converted.": (
                [d + beta * pixels / LATENTS * r, d, r]
            ),
            "β was turned into a kl_weight: both terms are sums here, so nothing is converted.": (
                [d + beta * LATENTS / pixels * r, d, r]
            ),
            "The sign of the distortion is wrong: it is −log p(x | z).": _weighed(-d, r, beta),
            "logvar was used as log-std: the variance is exp(logvar).": _weighed(d, wide, beta),
            "The images are summed: average over the batch.": (
                rows * np.asarray(_weighed(d, r, beta))
            ),
            "Rate and distortion are swapped: return (loss, distortion, rate).": (
                [d + beta * r, r, d]
            ),
        },
    )
    _stays_with_the_logits(student, score, (x, mean, logvar, beta))


def _stays_with_the_logits(student: Student, score: np.ndarray, rest: tuple[Any, ...]) -> None:
    rows, x = len(score), rest[0]
    far = np.sign(score) * np.float32(120)
    extreme = _triple(student.call("beta_loss", far, *rest), rows)
    require(
        np.isfinite(extreme).all(),
        "It is NaN or infinite where a logit is 120 or −120: stay with the logits.",
    )
    missed = 120 * ((far > 0) != (x > 0.5)).sum() / rows
    require(
        np.isclose(extreme[1], missed, rtol=1e-3),
        f"With logits of 120 and −120 the distortion is {extreme[1]:.4g}, and should be "
        f"{missed:.4g}: a clipped probability forgets how wrong it was. Stay with the logits.",
    )


def _weighed(distortion: Any, rate: Any, beta: float) -> list[Any]:
    return [distortion + beta * rate, distortion, rate]


def _triple(answer: Any, rows: int) -> np.ndarray:
    three = isinstance(answer, tuple) and len(answer) == 3
    require(answer is None or three, "beta_loss should return (loss, distortion, rate).")
    whole = not three or all(np.shape(part) != (rows,) for part in answer)
    require(whole, "It gives a number for each image: average over the batch.")
    return array(answer, (3,), what="(loss, distortion, rate)")


def _true_beta(student: Student, context: Context) -> None:
    weights = context.rng.uniform(0.02, 2, 4)
    pixels, latents = context.rng.integers(100, 900, 4), context.rng.integers(3, 60, 4)
    given = [(float(w), int(p), int(n)) for w, p, n in zip(weights, pixels, latents, strict=True)]
    ratio = pixels / latents
    near(
        [number(student.call("true_beta", *one), what="true_beta(…)") for one in given],
        weights * ratio,
        what="true_beta(kl_weight, pixels, latents)",
        mistakes={
            "The ratio is upside down: the mean over pixels shrinks the distortion more.": (
                weights / ratio
            ),
            "This is the kl_weight itself: the two means differ in how many terms they have.": (
                weights
            ),
            "The latents are forgotten: the rate is a mean too.": weights * pixels,
            "The pixels are forgotten: the distortion is a mean too.": weights / latents,
        },
    )
    near(
        [number(student.call("kl_weight", *one), what="kl_weight(…)") for one in given],
        weights / ratio,
        what="kl_weight(beta, pixels, latents)",
        mistakes={
            "kl_weight does what true_beta does; it should be its inverse.": weights * ratio,
            "kl_weight forgets the pixels.": weights * latents,
        },
    )


def _beta_of_64(student: Student, context: Context) -> None:
    near(
        number(student.value("beta_of_64"), what="beta_of_64"),
        0.1 * 784 / 64,
        what="beta_of_64",
        mistakes={
            "This is β for 32 latents: with 64 the mean over latents has twice as many terms.": (
                0.1 * 784 / 32
            ),
            "Twice the latents halve β; this doubles it.": 0.1 * 784 / 16,
            "This is the kl_weight; β = kl_weight · pixels / latents.": 0.1,
        },
        tolerance=4e-3,
    )


def _prediction(student: Student, context: Context) -> None:
    value = number(student.value("predicted_best"), what="predicted_best")
    require(value > 0, "A β is above 0. Any such guess earns the point.")


def _models(student: Student, context: Context) -> None:
    x = held_out(context, PICTURES).x
    found = {b: terms(student, _model(b), x, context) for b in BETAS[context.budget]}
    for beta, (distortion, rate) in found.items():
        require_learned(distortion + rate, context, what=f"models[{beta:g}]")
    low, high = min(found), max(found)
    rates = {beta: float(rate.mean()) for beta, (_, rate) in found.items()}
    require(
        rates[high] < COLLAPSED,
        f"At β = {high:g} the rate should be all but 0, and it is {rates[high]:.1f} nats: the β of "
        "TrainConfig weighs sums, so hand it on as it is, not as a kl_weight.",
    )
    require(
        rates[low] > SPENT,
        f"At β = {low:g} a code should be rich, and its rate is {rates[low]:.1f} nats: is each "
        "model trained, and at its own β?",
    )
    margin, error = paired_margin(found[low][0], found[high][0])
    require(
        margin > STANDARD_ERRORS * error,
        f"The distortion at β = {low:g} should lie far below that at β = {high:g}, and the gap is "
        f"{margin:.1f} nats: are the models trained to the end?",
    )


def _model(beta: float) -> Handle:
    return Handle("models", (beta,))


def _measured(student: Student, context: Context) -> None:
    betas = BETAS[context.budget]
    given = pairs(student.value("measured"), betas, what="measured", holds="β → (distortion, rate)")
    x = redrawn(context, HELD_OUT[context.budget])
    found = [remeasured(student, _model(beta), x, context) for beta in betas]
    d, r, at_mean, noise = np.asarray([one[:4] for one in found]).T
    latents = np.asarray([one.mean.shape[1] for one in found])
    pixels, b = x[0].size, np.asarray(betas)
    near(
        given,
        np.stack([d, r]),
        what="measured, distortions then rates,",
        mistakes={
            "z is the mean: a distortion is that of a draw of z, which model(x, key=key) makes.": (
                np.stack([at_mean, r])
            ),
            "Pixels and latents are averaged, not summed.": np.stack([d / pixels, r / latents]),
            "The pixels are averaged, not summed.": np.stack([d / pixels, r]),
            "The KL is averaged over the latents, not summed.": np.stack([d, r / latents]),
            "The factor ½ of the KL is missing.": np.stack([d, 2 * r]),
            "The rate is weighed by β: measure the terms as they are.": np.stack([d, b * r]),
            "This is the loss and the rate, not the distortion.": np.stack([d + b * r, r]),
            "Rate and distortion are swapped: give (distortion, rate).": np.stack([r, d]),
        },
        tolerance=STANDARD_ERRORS * float((noise / (1 + d)).max()),
    )


def _prior_images(student: Student, context: Context) -> None:
    what = "prior_images(model, count, key=key)"
    model, seed = _model(BETAS[context.budget][0]), int(context.rng.integers(2**31))
    x = redrawn(context, HELD_OUT[context.budget])[:PICTURES]
    mean, logvar = codes(student, model, x)
    shape = (PICTURES, *x.shape[1:])
    got = array(student.call("prior_images", model, PICTURES, key=Key(seed)), shape, what=what)
    inside = np.isfinite(got).all() and got.min() >= 0 and got.max() <= 1
    require(inside, f"{what} reaches beyond [0, 1]: these are logits; give sigmoid(logits).")
    require(
        not np.isin(got, (0, 1)).all(),
        "Every pixel is 0 or 1: pixels were drawn. The mean image is asked, sigmoid(logits).",
    )
    require(got.std(axis=0).max() > 1e-3, "All images are the same: draw a z for each.")
    again = array(student.call("prior_images", model, PICTURES, key=Key(seed)), what=what)
    require(
        np.array_equal(got, again), "The same key gives other images: use the key, and only it."
    )
    other = array(student.call("prior_images", model, PICTURES, key=Key(seed + 1)), what=what)
    require(not np.array_equal(got, other), "Another key gives the same images: use the key.")

    def seen(z: np.ndarray) -> float:
        return _variety_of(_classified(context, expit(logits(student, model, z))))

    z = context.rng.normal(size=(PICTURES, mean.shape[1]))
    near(
        _variety_of(_classified(context, got)),
        seen(z),
        what="The variety of these images",
        mistakes={
            "These look like reconstructions: z must come from the prior, not from the encoder.": (
                seen(mean + np.exp(logvar / 2) * context.rng.normal(size=mean.shape))
            ),
            "z is uniform on [0, 1]: the prior is N(0, I), jax.random.normal.": (
                seen(context.rng.random(z.shape))
            ),
        },
        tolerance=VARIETY,
    )


def _classified(context: Context, images: np.ndarray) -> np.ndarray:
    return digit_classifier(context.images)(images)


def _divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * np.log(p / q), 0.0)


def _variety_of(p: np.ndarray) -> float:
    return float(np.exp(_divergence(p, p.mean(0)).sum(1).mean()))


def _variety(student: Student, context: Context) -> None:
    p = context.rng.dirichlet(np.full(10, 0.3), 200) * np.linspace(2, 0.2, 10)
    p = (p + 1e-4) / (p + 1e-4).sum(1, keepdims=True)
    p = p.astype(np.float32).astype(np.float64)
    overall = p.mean(0)
    information = _divergence(p, overall).sum(1).mean()
    entropy = -(p * np.log(p)).sum(1).mean()
    near(
        student.call("variety", p.astype(np.float32)),
        np.exp(information),
        what="variety(p)",
        mistakes={
            "This is the information in nats: take exp of it.": information,
            "The logarithm is to base 2, and exp is not: use nats.": np.exp(
                information / np.log(2)
            ),
            "The classes are averaged, not summed.": np.exp(information / 10),
            "The mean over the images must come before exp, not after.": (
                np.exp(_divergence(p, overall).sum(1)).mean()
            ),
            "The KL is reversed: it is that of p(y | x) from p(y).": (
                np.exp((overall * np.log(overall / p)).sum(1).mean())
            ),
            "p(y | x) is not compared with p(y): this is exp of the entropy of the mean alone.": (
                np.exp(information + entropy)
            ),
            "p(y | x) is not compared with p(y): this is exp of its mean entropy.": np.exp(entropy),
            "This is the mean of the largest probability: a collapsed model, with one picture for "
            "every z, can do well at that.": p.max(1).mean(),
        },
    )
    sure = np.eye(10, dtype=np.float32)[context.rng.integers(0, 10, 50)]
    got = number(student.call("variety", sure), what="variety(p) with zeros in p")
    near(got, _variety_of(sure.astype(np.float64)), what="variety(p) with zeros in p")


def _why_larger(student: Student, context: Context) -> None:
    choice(
        student.value("why_larger"),
        "b",
        {
            "a": "For β > 1 the loss is a looser bound on −log p(x) than −ELBO is, not a tighter "
            "one.",
            "c": "Both models are measured on the very same held-out images.",
            "d": "On the training images β = 1 keeps the lower −ELBO: it is optimised well there.",
        },
        what="why_larger",
    )


EXERCISE = Exercise(
    id="01-beta",
    title="β",
    minutes=60,
    tasks=(
        Task("beta_loss", "The β-weighted loss", 2, _beta_loss, "loss#two-terms-one-unit"),
        Task("true_beta", "From kl_weight to β and back", 2, _true_beta, "loss#sum-or-mean"),
        Task("beta_of_64", "Twice the latents", 1, _beta_of_64, "loss#what-the-hidden-costs"),
        Task("predicted_best", "A prediction", 1, _prediction),
        Task("models", "A sweep over β", 2, _models, "beta#four-prices"),
        Task("measured", "Rate and distortion", 2, _measured, "beta#a-plane-for-models"),
        Task("prior_images", "Prior draws", 2, _prior_images, "generation#drawing-from-the-prior"),
        Task("variety", "A number for generation", 2, _variety, "beta#what-the-ends-look-like"),
        Task("why_larger", "Why a larger β wins here", 1, _why_larger, "beta#why-1-and-why-not"),
        Task("why_beta_one", "When β = 1", 2, None, "beta#why-1-and-why-not"),
    ),
)
