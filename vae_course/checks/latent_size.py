"""Exercise 02, latent size: what the linear VAE predicts, and what equal β shows."""

import numpy as np

from vae_course.checks.plain import Handle
from vae_course.checks.probing import (
    codes,
    held_out,
    paired_margin,
    pairs,
    redrawn,
    remeasured,
    require_learned,
    terms,
)
from vae_course.checks.specs import Context, Exercise, Task
from vae_course.checks.students import Student
from vae_course.checks.verdicts import array, near, number, require

__all__ = ["EXERCISE"]

SIZES = {"full": (2, 8, 32, 64, 128), "smoke": (2, 8, 32)}
HELD_OUT = {"full": 4000, "smoke": 2000}
ACTIVE = 0.1  # variance of the posterior mean above which a latent counts
RATE_OF_TWO = 2.0  # least nats of rate with two latents; at β = 39 they say nothing
# By so many must 8 latents beat 2, and a measured −ELBO must not be off.
STANDARD_ERRORS = 5.0
CLOSE = 2.0  # nats above the best −ELBO that count as "no longer helping"
KL_WEIGHT, PIXELS = 0.1, 784  # the tutorial's


def _eigenvalues(student: Student, context: Context) -> None:
    n, height, width = 40, 4, 3
    mixing = context.rng.normal(size=(12, 12)) * np.linspace(0.2, 2, 12)
    x = context.rng.normal(size=(n, 12)) @ mixing + context.rng.normal(size=12)
    x = x.reshape(n, height, width).astype(np.float32)
    flat = x.reshape(n, -1).astype(np.float64)
    centred = flat - flat.mean(0)
    # Squared singular values: another road than the eigenvalues of a covariance.
    truth = np.linalg.svd(centred, compute_uv=False) ** 2 / n
    got = array(student.call("eigenvalues", x), (12,), what="eigenvalues(x)")
    if np.allclose(got, truth * n / (n - 1), rtol=1e-3):
        return  # divided by n − 1: as good
    near(
        got,
        truth,
        what="eigenvalues(x)",
        mistakes={
            "They ascend: the largest should come first.": truth[::-1],
            "The mean image is not subtracted: this is the second moment, not the covariance.": (
                np.linalg.svd(flat, compute_uv=False) ** 2 / n
            ),
            "These are square roots: an eigenvalue of the covariance is a variance.": (
                np.sqrt(truth)
            ),
            "Each pixel is divided by its standard deviation: this is the correlation.": (
                np.linalg.svd(centred / centred.std(0), compute_uv=False) ** 2 / n
            ),
            "The products are summed over the images, not averaged.": truth * n,
        },
        tolerance=1e-3,
    )


def _predicted_active(student: Student, context: Context) -> None:
    values = np.sort(context.rng.gamma(1.0, 1.0, 60))[::-1]
    values[:3] += 4
    cases = [(0.4, 1.0, 100), (0.4, 3.0, 100), (0.6, 0.5, 100), (0.3, 2.0, 8)]
    got = [
        number(
            student.call("predicted_active", values.astype(np.float32), *case),
            what="predicted_active(…)",
        )
        for case in cases
    ]

    noise, beta, most = np.transpose(cases)

    def above(limits: np.ndarray) -> np.ndarray:
        return (values[:, None] > limits).sum(0)

    near(
        got,
        np.minimum(above(beta * noise), most),
        what="predicted_active(eigenvalues, noise, beta, latents)",
        mistakes={
            "A model has no more active latents than it has latents.": above(beta * noise),
            "β is not used: a direction must repay β times the noise.": (
                np.minimum(above(noise), most)
            ),
            "β divides the noise; it multiplies it.": np.minimum(above(noise / beta), most),
            "The noise was squared: it is a variance already.": (
                np.minimum(above(beta * noise**2), most)
            ),
            "The noise is not used.": np.minimum(above(beta), most),
            "These are the latents that collapse: an active one has the larger eigenvalue.": (
                np.minimum(len(values) - above(beta * noise), most)
            ),
        },
        tolerance=1e-3,
    )


def _beta_of_two(student: Student, context: Context) -> None:
    near(
        number(student.value("beta_of_two"), what="beta_of_two"),
        KL_WEIGHT * PIXELS / 2,
        what="beta_of_two",
        mistakes={
            "This is β for 32 latents; with 2 the mean over latents has fewer terms.": (
                KL_WEIGHT * PIXELS / 32
            ),
            "The ratio is upside down: β = kl_weight · pixels / latents.": KL_WEIGHT * 2 / PIXELS,
            "This is the kl_weight; β = kl_weight · pixels / latents.": KL_WEIGHT,
        },
        tolerance=2e-3,
    )


def _prediction(student: Student, context: Context) -> None:
    value = number(student.value("predicted_units"), what="predicted_units")
    most = max(SIZES["full"])
    require(0 <= value <= most, f"Between 0 and {most} latents. Any such guess earns the point.")


def _active_units(student: Student, context: Context) -> None:
    scales = np.repeat([1.0, 0.22, 0.05, 0.05], [4, 3, 2, 6])
    offsets = np.repeat([0.0, 0.0, 3.0, 0.0], [4, 3, 2, 6])
    order = context.rng.permutation(len(scales))
    noise = context.rng.normal(size=(300, len(scales)))
    mean = ((noise - noise.mean(0)) / noise.std(0) * scales + offsets)[:, order]
    near(
        number(student.call("active_units", mean.astype(np.float32)), what="active_units(mean)"),
        (mean.var(0) > ACTIVE).sum(),
        what="active_units(mean)",
        mistakes={
            "Standard deviations are compared; the threshold is one for variances.": (
                (mean.std(0) > ACTIVE).sum()
            ),
            "The mean is not subtracted: a latent that is 3 for every image says nothing.": (
                ((mean**2).mean(0) > ACTIVE).sum()
            ),
            "The variance is taken over the latents; it is one over the images.": (
                (mean.var(1) > ACTIVE).sum()
            ),
            "These are the latents that do nothing.": (mean.var(0) <= ACTIVE).sum(),
            "All latents are counted.": len(scales),
        },
        tolerance=1e-3,
    )
    lower = student.call("active_units", mean.astype(np.float32), threshold=0.01)
    require(
        number(lower, what="active_units(mean, threshold=0.01)") == (mean.var(0) > 0.01).sum(),
        "With threshold=0.01 it gives another number than there are: compare with `threshold`.",
    )


def _models(student: Student, context: Context) -> None:
    x = held_out(context, 1000).x
    found = {}
    for size in SIZES[context.budget]:
        latents = codes(student, _model(size), x[:2])[0].shape[1]
        require(latents == size, f"models[{size}] has {latents} latents, not {size}.")
        found[size] = terms(student, _model(size), x, context)
    prices = {size: distortion + rate for size, (distortion, rate) in found.items()}
    for size, price in prices.items():
        require_learned(price, context, what=f"models[{size}]")
    rate = float(found[2][1].mean())
    require(
        rate > RATE_OF_TWO,
        f"With 2 latents the rate is {rate:.1f} nats, and at β = 1 it is several: is the model "
        "trained, and at β = 1? A β computed from a kl_weight would move with the size.",
    )
    margin, error = paired_margin(prices[8], prices[2])
    require(
        margin > STANDARD_ERRORS * error,
        f"8 latents should reach a far lower −ELBO than 2, and the gap is {margin:.1f} nats: "
        "is each model trained?",
    )


def _model(size: int) -> Handle:
    return Handle("models", (size,))


def _measured(student: Student, context: Context) -> None:
    sizes = SIZES[context.budget]
    stated = pairs(
        student.value("measured"), sizes, what="measured", holds="size → (−ELBO, active latents)"
    )
    x = redrawn(context, HELD_OUT[context.budget])
    found = [remeasured(student, _model(size), x, context) for size in sizes]
    d, r, at_mean, noise = np.asarray([one[:4] for one in found]).T
    active = np.asarray([(one.mean.var(0) > ACTIVE).sum() for one in found])
    b, pixels = np.asarray(sizes), x[0].size
    near(
        stated[0],
        d + r,
        what="measured, the −ELBOs,",
        mistakes={
            "z is the mean: −ELBO takes a draw of z, which model(x, key=key) makes.": at_mean + r,
            "This is the ELBO: measured asks for −ELBO, which is positive.": -d - r,
            "The rate is missing.": d,
            "The distortion is missing.": r,
            "The factor ½ of the KL is missing.": d + 2 * r,
            "The KL is averaged over the latents, not summed.": d + r / b,
            "The pixels are averaged, not summed.": d / pixels + r,
        },
        tolerance=STANDARD_ERRORS * float((noise / (1 + d + r)).max()),
    )
    near(
        stated[1],
        active,
        what="measured, the active latents,",
        mistakes={"All latents are counted, active or not.": b},
        tolerance=0.06,  # one of twenty: a variance may lie at the threshold
    )


def _enough(student: Student, context: Context) -> None:
    sizes = SIZES[context.budget]
    answer = number(student.value("enough"), what="enough")
    require(answer in sizes, f"enough should be one of {', '.join(map(str, sizes))}.")
    x = redrawn(context, HELD_OUT[context.budget])
    prices = {size: np.add(*terms(student, _model(size), x, context)) for size in sizes}
    best = min(sizes, key=lambda size: prices[size].mean())

    def above(size: int) -> tuple[float, float]:
        """How far above the best, in nats, and what noise may change in that."""
        margin, error = paired_margin(prices[best], prices[size])
        return margin, STANDARD_ERRORS * error

    margin, slack = above(int(answer))
    require(
        margin < CLOSE + slack,
        f"With {answer:g} latents −ELBO is {margin:.1f} nats above the best, not within {CLOSE:g}.",
    )
    for size in sizes[: sizes.index(int(answer))]:
        margin, slack = above(size)
        require(
            margin > CLOSE - slack,
            f"{size} latents are enough already: they are {margin:.1f} nats above the best.",
        )


_LINEAR = "beta#why-latents-collapse-a-model-we-can-solve"

EXERCISE = Exercise(
    id="02-latent-size",
    title="Latent size",
    minutes=60,
    tasks=(
        Task("eigenvalues", "Variances of the data", 2, _eigenvalues, _LINEAR),
        Task("predicted_active", "What the linear VAE predicts", 2, _predicted_active, _LINEAR),
        Task("beta_of_two", "A β that moves", 1, _beta_of_two, "loss#what-the-hidden-costs"),
        Task("predicted_units", "A prediction", 1, _prediction),
        Task("models", "Five sizes at equal β", 2, _models, "training#many-epochs-fit"),
        Task(
            "active_units",
            "Active units",
            2,
            _active_units,
            "evaluation#latents-that-do-nothing",
        ),
        Task(
            "measured",
            "−ELBO and active units",
            2,
            _measured,
            "evaluation#the-held-out-elbo-with-an-error-bar",
        ),
        Task("enough", "Where more stop helping", 1, _enough, "evaluation#latents-that-do-nothing"),
        Task("why_not_more", "In your own words", 2, None),
    ),
)
