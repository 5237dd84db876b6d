"""Exercise 05, disentangled representations: a mutual-information gap on known factors."""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import entr, expit

from vae_course.checks.oracles import bernoulli
from vae_course.checks.plain import Handle
from vae_course.checks.probing import codes, logits, terms
from vae_course.checks.specs import Context, Exercise, Task
from vae_course.checks.students import Student
from vae_course.checks.verdicts import Mistake, array, choice, near, number, require, same
from vae_course.factors import FACTOR_NAMES, make_factors

__all__ = ["EXERCISE"]

BETAS = (1.0, 10.0)
SEEDS = {"full": 3, "smoke": 2}
JUDGED = 3  # factors: the two positions and the scale; nothing is asked of the rotation
# By how much the mean gap of those must rise from the smaller β to the larger, over the seeds.
GAIN = {"full": 0.2, "smoke": 0.02}
TRAINED = 0.9  # most distortion of a model, over that of the mean image
RATE_RATIO = 0.5  # most rate at the larger β, over that at the smaller
SCORE = 0.02  # a code that rounding puts into the next bin moves a score by less
DRAWN = 0.05  # two draws of all the codes move a score by less
BINS, SILENT = 20, 0.01
PIXELS, LATENTS = 784, 6


def _mutual_information(student: Student, context: Context) -> None:
    what = "mutual_information(a, b)"
    n, levels = 600, (5, 3)
    a = context.rng.integers(0, levels[0], n)
    b = np.where(context.rng.random(n) < 0.5, a % levels[1], context.rng.integers(0, levels[1], n))
    b = np.where(context.rng.random(n) < 0.4, 0, b)
    truth, h_a, h_b = information(a, b), _entropy(a), _entropy(b)
    joint = np.histogram2d(a, b, bins=levels)[0] / n
    ratio = np.log(joint / np.outer(joint.sum(1), joint.sum(0)))
    near(
        number(student.call("mutual_information", a, b), what=what),
        truth,
        what=what,
        mistakes={
            "This is in bits: take the natural logarithm.": truth / np.log(2),
            "The logarithms are averaged over the cells: weigh each by its p(a, b).": ratio.mean(),
            "The logarithms are summed as they are: weigh each by its p(a, b).": ratio.sum(),
            "The cells are averaged, not summed.": truth / joint.size,
            "The counts were not divided by n: they are no probabilities yet.": (
                n * (truth - np.log(n))
            ),
            "The sign is wrong: information is never negative.": -truth,
            "This is the entropy of the pair, H(a, b).": h_a + h_b - truth,
            "This is what stays open, H(a | b): subtract it from H(a).": h_a - truth,
            "This is what stays open, H(b | a): subtract it from H(b).": h_b - truth,
            "The product of p(a) and p(b) is not compared with: this is −H(a, b).": (
                truth - h_a - h_b
            ),
            "The KL is the wrong way round: it is that of p(a, b) from p(a) p(b).": (
                -(np.outer(joint.sum(1), joint.sum(0)) * ratio).sum()
            ),
            "This is the correlation: it sees straight lines only.": np.corrcoef(a, b)[0, 1],
        },
    )
    # Cells that are empty, and a level of b that nobody has.
    a = context.rng.integers(0, 4, n)
    b = 2 * (a // 2)
    got = number(student.call("mutual_information", a, b), what=f"{what} where pairs never occur")
    near(got, information(a, b), what=f"{what} where pairs never occur")


def information(a: np.ndarray, b: np.ndarray) -> float:
    """Mutual information of whole numbers from 0, in nats: H(a) + H(b) − H(a, b), SciPy's."""
    return _entropy(a) + _entropy(b) - _entropy(a * (b.max() + 1) + b)


def _entropy(levels: np.ndarray) -> float:
    return float(entr(np.unique(levels, return_counts=True)[1] / levels.size).sum())


def _gap(student: Student, context: Context) -> None:
    what = "gap(information, entropies)"
    entropies = context.rng.uniform(1.2, 2.5, 3)
    table = entropies * context.rng.uniform(0.05, 0.6, (5, 3))
    table[[0, 3], 1] = 0.9 * entropies[1]  # two latents know the same
    ordered = np.sort(table, axis=0)[::-1]
    truth = (ordered[0] - ordered[1]) / entropies
    merged = np.array([ordered[0], ordered[1]]) / entropies
    merged[1, 1] = ordered[2, 1] / entropies[1]
    near(
        student.call("gap", table.astype(np.float32), entropies.astype(np.float32)),
        truth,
        what=what,
        mistakes={
            "The gap is not divided by the factor's entropy.": truth * entropies,
            "This is the largest minus the smallest: subtract the second largest.": (
                (ordered[0] - ordered[-1]) / entropies
            ),
            "The second largest is not subtracted.": ordered[0] / entropies,
            "This is the largest minus the mean of the others: subtract the second largest.": (
                (ordered[0] - ordered[1:].mean(0)) / entropies
            ),
            "This is the second largest minus the largest: the gap is never negative.": -truth,
            "Two equal latents were counted as one: where two know as much, the gap is 0.": (
                merged[0] - merged[1]
            ),
            "The gap is divided by the largest information: divide by the entropy.": (
                truth * entropies / ordered[0]
            ),
            "The factors are averaged: give one gap for each.": truth.mean(),
            "The first two latents were taken: sort them by information first.": (
                (table[0] - table[1]) / entropies
            ),
        },
    )


def _beta_norm(student: Student, context: Context) -> None:
    near(
        number(student.value("beta_norm"), what="beta_norm"),
        BETAS[-1] * LATENTS / PIXELS,
        what="beta_norm",
        mistakes={
            "The ratio is upside down: β_norm = β · latents / pixels.": BETAS[-1]
            * PIXELS
            / LATENTS,
            "The latents are forgotten.": BETAS[-1] / PIXELS,
            "The pixels are forgotten.": BETAS[-1] * LATENTS,
            "This is β itself, in ELBO units.": BETAS[-1],
        },
        tolerance=1e-3,
    )


def _predicted_gain(student: Student, context: Context) -> None:
    value = number(student.value("predicted_gain"), what="predicted_gain")
    require(-1 <= value <= 1, "A gap lies between 0 and 1, so a gain between −1 and 1.")


def _white() -> np.ndarray:
    return (make_factors().images > 127).astype(np.float32)


def _models(student: Student, context: Context) -> None:
    x, seeds = _white(), SEEDS[context.budget]
    means = np.array([[codes(student, _model(b, s), x)[0] for s in range(seeds)] for b in BETAS])
    for beta, part in zip(BETAS, means, strict=True):
        require(
            all(np.abs(a - b).max() > 1e-3 for a, b in itertools.combinations(part, 2)),
            f"The models at β = {beta:g} are one and the same: give each its own seed.",
        )
    found = np.array(
        [[_price(student, _model(b, s), x, context) for s in range(seeds)] for b in BETAS]
    )
    distortion, rate = found[..., 0], found[..., 1]
    untaught = of_the_mean_image(x)
    require(
        (distortion < TRAINED * untaught).all(),
        f"A model's distortion on the shapes is {distortion.max():.0f} nats, where the mean of "
        f"all images alone gives {untaught:.0f}: is each trained, and with data=training_set?",
    )
    require(
        (rate[-1] < RATE_RATIO * rate[0]).all(),
        f"The rates at β = 1 are about {rate[0].mean():.1f} nats and at β = 10 about "
        f"{rate[-1].mean():.1f}: does each model get its β?",
    )
    low, high = (np.mean([gaps(one)[:JUDGED].mean() for one in part]) for part in means)
    require(
        high - low > GAIN[context.budget],
        f"The mean gap of position and scale is {low:.2f} at β = 1 and {high:.2f} at β = 10: is "
        "each model trained to the end, with the recipe above?",
    )


def _model(beta: float, seed: int) -> Handle:
    return Handle("models", (beta, seed))


def _price(student: Student, model: Handle, x: np.ndarray, context: Context) -> tuple[float, float]:
    distortion, rate = terms(student, model, x, context)
    return float(distortion.mean()), float(rate.mean())


def of_the_mean_image(x: np.ndarray) -> float:
    """The distortion, in nats, of a decoder that knows each pixel's mean and nothing else."""
    p = np.clip(x.mean(0), 1e-4, 1 - 1e-4)
    return float(-bernoulli(np.log(p / (1 - p)), x).sum((1, 2)).mean())


def gaps(means: np.ndarray, *, silent: float = SILENT) -> np.ndarray:
    """The mutual-information gap of each factor, ``(factors,)``, from codes of all the shapes."""
    factors = make_factors().factors.T
    cells = [_cells(code) for code in means.T if code.var() > silent]
    known = np.array([[information(cell, factor) for factor in factors] for cell in cells])
    # Two rows of nothing, for models with fewer than two latents that are not silent.
    known = np.concatenate([known.reshape(-1, len(factors)), np.zeros((2, len(factors)))])
    second, top = np.sort(known, axis=0)[-2:]
    return (top - second) / [_entropy(factor) for factor in factors]


def _cells(code: np.ndarray) -> np.ndarray:
    edges = np.linspace(code.min(), code.max(), BINS + 1)
    return np.searchsorted(edges[1:-1], code, side="right")


def _scores(student: Student, context: Context) -> None:
    seeds = SEEDS[context.budget]
    given, x = _by_beta(student.value("scores"), seeds), _white()
    every = [[codes(student, _model(b, s), x) for s in range(seeds)] for b in BETAS]
    truth = np.array([[gaps(mean) for mean, _ in part] for part in every])
    drawn = np.array([[gaps(_draw(*one, context)) for one in part] for part in every])
    kept = np.array([[gaps(mean, silent=0.0) for mean, _ in part] for part in every])
    require(
        same(given, truth, SCORE) or not same(given, drawn, DRAWN),
        "These are the scores of codes drawn at random: take the means.",
    )
    near(
        given,
        truth,
        what="scores (β, seed, factor)",
        mistakes={
            "Latents that say nothing were counted: cut the codes with binned(…).": kept,
            "The two β are swapped.": truth[::-1],
            "The seeds stand in another order: row s belongs to models[β][s].": truth[:, ::-1],
            "Every row is that of the first model: each has its own codes.": (
                np.repeat(truth[:, :1], seeds, axis=1)
            ),
        },
        tolerance=SCORE,
    )


def _draw(mean: np.ndarray, logvar: np.ndarray, context: Context) -> np.ndarray:
    return mean + np.exp(logvar / 2) * context.rng.normal(size=mean.shape)


def _by_beta(answer: Any, seeds: int) -> np.ndarray:
    if not isinstance(answer, Mapping):
        raise Mistake("scores should be a dictionary: β → an array (seeds, factors).")
    missing = [f"{beta:g}" for beta in BETAS if beta not in answer]
    require(not missing, f"scores lacks β = {', '.join(missing)}.")
    shape = (seeds, len(FACTOR_NAMES))
    return np.stack([array(answer[beta], shape, what=f"scores[{beta:g}]") for beta in BETAS])


def _traversal(student: Student, context: Context) -> None:
    what = "traversal(model, x, latent, values), from the mean code,"
    model, shapes = _model(BETAS[0], 0), _white()
    every, _ = codes(student, model, shapes)
    # One that says something: setting a silent latent changes nothing, and would hide mistakes.
    latent = 1 + int(np.argmax(every.var(0)[1:]))
    index = int(context.rng.integers(len(shapes)))
    mean = every[index]
    values = np.array([-1.5, -0.4, 0.3, 0.9, 1.7], np.float32)
    along = np.eye(len(mean))[latent] * values[:, None]

    def decoded(z: np.ndarray) -> np.ndarray:
        return expit(logits(student, model, z))

    right = mean * (np.arange(len(mean)) != latent) + along
    elsewhere = np.tile(mean, (len(values), 1))
    elsewhere[:, 0] = values
    near(
        student.call("traversal", model, shapes[index], latent, values),
        decoded(right),
        what=what,
        mistakes={
            "These are logits: give sigmoid(logits).": logits(student, model, right),
            "The values are added to the latent: set it to them.": decoded(mean + along),
            "All latents are set to the value: change one, and keep the others.": (
                decoded(np.tile(values[:, None], len(mean)))
            ),
            "The other latents are 0: they should stay as they are in the code of x.": (
                decoded(along)
            ),
            "Nothing changes along the row: set the latent to each value in turn.": (
                decoded(np.tile(mean, (len(values), 1)))
            ),
            "Another latent changes: it should be the one that was asked for.": decoded(elsewhere),
            "Every pixel is 0 or 1: give the probabilities.": decoded(right) > 0.5,
        },
        tolerance=1e-3,
    )


def _may_be_concluded(student: Student, context: Context) -> None:
    choice(
        student.value("may_be_concluded"),
        "b",
        {
            "a": "The turned codes show the opposite: the same p(x) is had with entangled latents, "
            "so more than the loss and the images is needed.",
            "c": "Not even the score can be computed there: MNIST comes without its factors.",
            "d": "Look at the spread of the dots of one β; Locatello et al. found that seeds and "
            "settings often matter more than the method.",
        },
        what="may_be_concluded",
    )


EXERCISE = Exercise(
    id="05-disentangled",
    title="Disentangled representations",
    minutes=60,
    tasks=(
        Task(
            "mutual_information",
            "Mutual information",
            3,
            _mutual_information,
            "generation#the-rate-in-two-parts",
        ),
        Task("gap", "The gap", 2, _gap, "latent_space#one-latent-at-a-time"),
        Task("beta_norm", "β in another unit", 1, _beta_norm, "loss#sum-or-mean"),
        Task("predicted_gain", "A prediction", 1, _predicted_gain),
        Task("models", "Two β, several seeds", 3, _models, "beta#four-prices"),
        Task("scores", "The scores", 3, _scores, "latent_space#mean-or-sample"),
        Task("traversal", "Traversals", 3, _traversal, "latent_space#one-latent-at-a-time"),
        Task(
            "may_be_concluded",
            "What may be concluded",
            1,
            _may_be_concluded,
            "latent_space#one-latent-at-a-time",
        ),
        Task(
            "why_no_guarantee",
            "Why there is no guarantee",
            2,
            None,
            "latent_space#one-latent-at-a-time",
        ),
    ),
)
