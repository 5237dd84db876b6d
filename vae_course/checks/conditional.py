"""Exercise 04, the conditional VAE: labels in the encoder and the decoder, digits on demand."""

import math
from collections.abc import Callable

import numpy as np
from scipy.special import expit

from vae_course.checks.classifier import digit_classifier
from vae_course.checks.plain import Handle, Key
from vae_course.checks.probing import codes, held_out, logits, require_learned, terms
from vae_course.checks.specs import Context, Exercise, Task
from vae_course.checks.students import Student
from vae_course.checks.verdicts import Mistake, array, choice, near, number, require
from vae_course.data import ImageData

__all__ = ["EXERCISE"]

DIGITS = 10
CODES = 60  # prior draws, each decoded as every digit
# Second singular value of the label's effect over the first: 0 if the label moves along a line.
OFF_THE_LINE = 0.25
READ_AS_WANTED = {"full": 0.6, "smoke": 0.5}  # least share of digits on demand; 0.1 is guessing
RATE = 1.0  # least mean rate in nats: below it, z says nothing about the image
DIVERSITY = 0.15  # least variance within a digit, of decoded draws over that of test images
STYLE = 0.5  # least correlation of the amounts of ink of two digits from the same codes
COPY = 0.3  # least distance to the nearest training image, over that of test images
SHORTFALL = 0.15  # by how much digit_on_demand may fall below the model's own share
LATENTS, MODEL = Handle("config", ("latent_size",)), Handle("model")
Ask = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _labelled_encoder(student: Student, context: Context) -> None:
    what = "encoder(x, labels)"

    def ask(x: np.ndarray, labels: np.ndarray) -> np.ndarray:
        answer = student.call("encoder", x, labels)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise Mistake(f"{what} should return (mean, logvar).")
        mean, logvar = array(answer[0], what="Its mean"), array(answer[1], what="Its logvar")
        shape = (len(x), student.value(LATENTS))
        for name, part in (("mean", mean), ("logvar", logvar)):
            found = f"The {name} of {what} has shape {part.shape}; it should have {shape}."
            require(part.shape == shape, found)
        return np.concatenate([mean, logvar], axis=1)

    x = held_out(context, DIGITS).x
    _uses_both(ask, x, context, what, "image")
    mean, logvar = np.split(ask(x, np.arange(DIGITS, dtype=np.int32)), 2, axis=1)
    require(not np.allclose(mean, logvar), "mean and logvar are the same numbers.")
    require(
        logvar.min() < 0,
        "logvar is never negative: this is a variance. Its logarithm is any real number.",
    )


def _labelled_decoder(student: Student, context: Context) -> None:
    what = "decoder(z, labels)"

    def ask(z: np.ndarray, labels: np.ndarray) -> np.ndarray:
        answer = student.call("decoder", z, labels)
        shape = (len(z), *context.images.test_images.shape[1:])
        return array(answer, shape, what=what).reshape(len(z), -1)

    z = context.rng.normal(0, 3, (DIGITS, student.value(LATENTS))).astype(np.float32)
    _uses_both(ask, z, context, what, "code")
    found = ask(z, np.arange(DIGITS, dtype=np.int32))
    require(
        found.min() < 0 or found.max() > 1,
        "These are probabilities: leave the sigmoid out, and return the logits.",
    )


def _uses_both(ask: Ask, a: np.ndarray, context: Context, what: str, kind: str) -> None:
    """Judge a network of ``a`` and labels by what its answers depend on."""
    labels = context.rng.permutation(DIGITS).astype(np.int32)
    table = np.stack([ask(a, np.full(DIGITS, k, np.int32)) for k in range(DIGITS)])
    require(np.isfinite(table).all(), f"{what} is NaN or infinite in places.")
    effect = (table - table[:1])[1:].reshape(DIGITS - 1, -1)
    require(np.abs(effect).max() > 1e-6, f"{what} ignores the label: another one changes nothing.")
    other = ask(a[::-1].copy(), np.zeros(DIGITS, np.int32))
    require(
        not np.allclose(other, table[0], atol=1e-6),
        f"{what} ignores the {kind}: another one changes nothing.",
    )
    near(
        ask(a, labels),
        table[labels, np.arange(DIGITS)],
        what=what,
        mistakes={"Every row gets the label of the first one.": table[labels[0]]},
        tolerance=1e-5,
    )
    first, second = np.linalg.svd(effect, compute_uv=False)[:2]
    require(
        second > OFF_THE_LINE * first,
        "The ten labels move the output along one line, as if a 4 lay between a 3 and a 5: the "
        "label enters as a number. Make it one-hot.",
    )


def _on_demand(student: Student, context: Context) -> np.ndarray:
    """Probabilities of the same prior draws as every digit, ``(digits, codes, height, width)``."""
    latents = codes(student, "model", *held_out(context, 2))[0].shape[1]
    z = np.tile(context.rng.normal(size=(CODES, latents)), (DIGITS, 1))
    labels = np.repeat(np.arange(DIGITS, dtype=np.int32), CODES)
    shape = context.images.test_images.shape[1:]
    decoded = logits(student, "model", z, labels)
    require(decoded.shape[1:] == shape, f"model.decode gives images of {decoded.shape[1:]}.")
    return expit(decoded).reshape(DIGITS, CODES, *shape)


def read_as_wanted(images: ImageData, made: np.ndarray) -> float:
    """The share of ``made``, ``(digits, codes, height, width)``, that is read as its digit."""
    read = digit_classifier(images)(made.reshape(-1, *made.shape[2:])).argmax(1)
    return float((read.reshape(made.shape[:2]) == np.arange(len(made))[:, None]).mean())


def diversity(images: ImageData, made: np.ndarray) -> float:
    """The mean over digits of the variance within a digit, over that of test images."""
    # One digit at a time, so that memory stays small.
    real = (images.test_images[images.test_labels == digit] / 255 for digit in range(len(made)))
    pairs = zip(made, real, strict=True)
    return float(np.mean([a.var(axis=0).sum() / b.var(axis=0).sum() for a, b in pairs]))


def style_held(made: np.ndarray) -> float:
    """The mean correlation between digits of the ink that the same codes use."""
    table = np.corrcoef(made.sum((2, 3)))
    return float(table[~np.eye(len(table), dtype=bool)].mean())


def copy_ratio(images: ImageData, made: np.ndarray, digit: int) -> float:
    """Median distance to the nearest training image of that digit, over that of test images."""
    library = images.train_images[images.train_labels == digit] > 127
    real = images.test_images[images.test_labels == digit][: len(made)] > 127
    return float(np.median(_nearest(made > 0.5, library)) / np.median(_nearest(real, library)))


def _nearest(queries: np.ndarray, library: np.ndarray) -> np.ndarray:
    """How many pixels differ from the nearest image of ``library``, all black and white."""
    a, b = (part.reshape(len(part), -1).astype(np.float32) for part in (queries, library))
    return (a.sum(1)[:, None] + b.sum(1) - 2 * a @ b.T).min(1)


def _model(student: Student, context: Context) -> None:
    x, labels = held_out(context, 500)
    distortion, rate = terms(student, "model", x, context, labels)
    require_learned(distortion + rate, context, what="model")
    require(
        rate.mean() > RATE,
        f"The rate is {rate.mean():.2f} nats: z says nothing about the image, so no style is in "
        "it.",
    )
    made, images = _on_demand(student, context), context.images
    share = read_as_wanted(images, made)
    require(
        share > READ_AS_WANTED[context.budget],
        f"Of {made[:, :, 0, 0].size} digits on demand only {share:.0%} are read as the one that "
        "was asked for; guessing gives 10 %. Is the model trained, and with its own decoder?",
    )
    require(
        diversity(images, made) > DIVERSITY,
        "All draws of a digit look nearly the same: the decoder hardly uses z.",
    )
    require(
        style_held(made) > STYLE,
        "The same z with another label gives another style: strokes do not stay thick or thin.",
    )
    nearest = np.median([copy_ratio(images, made[digit], digit) for digit in range(DIGITS)])
    require(nearest > COPY, "The model's draws are copies of training images.")


def _digit_on_demand(student: Student, context: Context) -> None:
    what = "digit_on_demand(model, digit, count, key=key)"
    on_demand, images = _on_demand(student, context), context.images
    seed = int(context.rng.integers(2**30))
    made = np.stack([_asked(student, images, digit, seed + digit, what) for digit in range(DIGITS)])
    require(made.var(axis=1).max() > 1e-8, "All the images are the same: draw a z for each one.")
    own, share = read_as_wanted(images, on_demand), read_as_wanted(images, made)
    moved = max(read_as_wanted(images, np.roll(made, step, axis=0)) for step in (1, -1))
    require(
        moved < share + SHORTFALL,
        "Most images show the digit before or after the one that was asked for.",
    )
    copied = np.median([copy_ratio(images, made[digit], digit) for digit in range(DIGITS)])
    require(copied > COPY, "These are copies of training images: decode draws from the prior.")
    require(
        share > own - SHORTFALL,
        f"{share:.0%} of the images are read as the digit that was asked for, while {own:.0%} of "
        "the model's are: does every image get the label `digit`?",
    )
    near(
        np.mean(made.var(axis=1).sum((1, 2)) / on_demand.var(axis=1).sum((1, 2))),
        1.0,
        what="The variance of a digit's images, over that of decoded draws from N(0, I),",
        tolerance=0.2,  # 60 draws on either side, ten digits
    )
    again = _asked(student, images, 3, seed + 3, what)
    require(np.array_equal(again, made[3]), "The same key gives other images: use the key.")
    other = _asked(student, images, 3, seed + 99, what)
    require(not np.array_equal(other, made[3]), "Another key gives the same images: use the key.")


def _asked(student: Student, images: ImageData, digit: int, seed: int, what: str) -> np.ndarray:
    answer = student.call("digit_on_demand", MODEL, digit, CODES, key=Key(seed))
    made = array(answer, (CODES, *images.test_images.shape[1:]), what=what)
    inside = np.isfinite(made).all() and made.min() >= 0 and made.max() <= 1
    require(inside, "It reaches beyond [0, 1]: these are logits. Give sigmoid(logits).")
    return made


def _predicted_share(student: Student, context: Context) -> None:
    value = number(student.value("predicted_share"), what="predicted_share")
    require(0 <= value <= 1, "A share lies between 0 and 1. Any such guess earns the point.")


def _change_digit(student: Student, context: Context) -> None:
    what = "change_digit(model, x, labels, new_labels)"
    x, labels = held_out(context, 40)
    new = ((labels + context.rng.integers(1, DIGITS, len(labels))) % DIGITS).astype(np.int32)

    def decoded(told: np.ndarray, shown: np.ndarray) -> np.ndarray:
        return logits(student, "model", codes(student, "model", x, told)[0], shown)

    twice = np.concatenate([x[:1], x[:1]]), np.repeat(labels[:1], 2), np.repeat(new[:1], 2)
    pair = array(student.call("change_digit", MODEL, *twice), (2, *x.shape[1:]), what=what)
    require(
        np.allclose(pair[0], pair[1], atol=1e-5),
        "The same image twice gives two answers: take the mean of the code, not a draw.",
    )
    right = decoded(labels, new)
    near(
        student.call("change_digit", MODEL, x, labels, new),
        expit(right),
        what=what,
        mistakes={
            "The image was encoded with the new label: tell the encoder what x really shows.": (
                expit(decoded(new, new))
            ),
            "The old label was decoded: this is a reconstruction.": expit(decoded(labels, labels)),
            "The two labels are swapped.": expit(decoded(new, labels)),
            "These are logits: give sigmoid(logits).": right,
            "The images are black and white: give the probabilities.": expit(right) > 0.5,
        },
    )


def _most_saved(student: Student, context: Context) -> None:
    near(
        number(student.value("most_saved"), what="most_saved"),
        math.log(DIGITS),
        what="most_saved",
        mistakes={
            "This is in bits: in nats it is the natural logarithm.": math.log2(DIGITS),
            "This is a logarithm to base 10: in nats it is the natural one.": 1.0,
            "This is the number of digits; its logarithm is how much it takes to say which.": 10.0,
        },
        tolerance=2e-3,
    )


def _why_it_obeys(student: Student, context: Context) -> None:
    choice(
        student.value("why_it_obeys"),
        "c",
        {
            "a": "It does use z: slant and thickness come from there, and your check measured it.",
            "b": "No term of the loss names the digit; look at what the rate costs.",
        },
        what="why_it_obeys",
    )


EXERCISE = Exercise(
    id="04-conditional",
    title="Conditional VAE",
    minutes=60,
    tasks=(
        Task(
            "encoder",
            "An encoder that knows the label",
            4,
            _labelled_encoder,
            "encoder#one-network-for-all-images",
        ),
        Task("decoder", "A decoder that is told one", 3, _labelled_decoder, "decoder#the-decoder"),
        Task("model", "Train it", 3, _model, "training#many-epochs-fit"),
        Task(
            "digit_on_demand",
            "A digit on demand",
            3,
            _digit_on_demand,
            "generation#drawing-from-the-prior",
        ),
        Task("predicted_share", "A prediction", 1, _predicted_share),
        Task(
            "change_digit",
            "The same hand, another digit",
            4,
            _change_digit,
            "latent_space#mean-or-sample",
        ),
        Task("most_saved", "What a label saves", 1, _most_saved, "theory#what-the-bound-loses"),
        Task("why_it_obeys", "Why z lets go", 1, _why_it_obeys, "generation#the-rate-in-two-parts"),
        Task(
            "why_both",
            "Why the encoder gets the label too",
            2,
            None,
            "encoder#one-network-for-all-images",
        ),
    ),
)
