"""Exercise 03, the convolutional VAE: layers that know neighbours, what they cost and gain."""

import numpy as np

from vae_course.checks.draws import binarized
from vae_course.checks.plain import Handle
from vae_course.checks.probing import held_out, paired_margin, require_learned, terms
from vae_course.checks.specs import Context, Exercise, Task
from vae_course.checks.students import Student
from vae_course.checks.verdicts import Mistake, array, choice, near, number, require

__all__ = ["EXERCISE"]

PAGE = "convolutional#"
SIDE, CELLS, STEP = 28, 7, 4  # pixels and features along a side; a feature stands for 4 pixels
CLIP = 5.0  # a logvar held within ±5 or more loses nothing, one held within ±1 does
MIDDLE = 3  # the feature whose view is measured, far from every border
# Most −ELBO of a trained model, over that of one which gives every pixel the probability ½.
TRAINED = {"full": 0.65, "smoke": 0.85}
STANDARD_ERRORS = 2.0  # by how many the convolutional model must win
NOISE = 5.0  # standard errors between two right measurements of one margin
ERROR = 0.1  # relative to 1 + 1: a standard error may be off by a fifth
MOST_PARAMETERS = 1.2  # of the dense model, over those of the convolutional one
HELD_OUT = 2000
CHANNELS, LATENTS = Handle("config", ("channels",)), Handle("config", ("latent_size",))
CONV, MLP = Handle("models", ("conv",)), Handle("models", ("mlp",))


def _encoder(student: Student, context: Context) -> None:
    x = (context.rng.random((6, SIDE, SIDE)) < 0.5).astype(np.float32)
    shape = (len(x), int(student.value(LATENTS)))
    answer = student.call("encoder", x)
    require(isinstance(answer, tuple) and len(answer) == 2, "encoder(x) gives (mean, logvar).")
    mean = array(answer[0], shape, what="The mean of encoder(x)")
    logvar = array(answer[1], shape, what="The logvar of encoder(x)")
    require(np.isfinite([mean, logvar]).all(), "encoder(x) is NaN or infinite in places.")
    require(not np.allclose(mean, logvar), "mean and logvar are the same numbers.")
    strong = [np.abs(part).max() for part in student.call("encoder", 1000 * x)]
    never = "logvar is never negative: this is a variance. Its logarithm is any real number."
    require(logvar.min() < 0, never)
    require(
        strong[1] > min(0.9 * CLIP, 0.05 * strong[0]),
        "logvar is squashed, and mean is not: leave it as the dense layer gives it.",
    )
    _features(student, x, shape=(CELLS, CELLS, int(student.value(CHANNELS)[-1])))
    _knows_places(student, context)


def _features(student: Student, x: np.ndarray, shape: tuple[int, int, int]) -> None:
    what = "encoder.features(x)"
    plain = array(student.method("encoder", "features", x), (len(x), *shape), what=what)
    seen = _pixels_seen(student, x[:4])
    require(seen.any(), f"{what} does not depend on x.")
    require(seen.sum() > 1, "A feature sees one pixel: a convolution of size 1 has no neighbours.")
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    require(
        np.ptp(rows) < SIDE // 2 and np.ptp(columns) < SIDE // 2,
        "A feature sees nearly the whole image: that is a dense layer, or a very large kernel.",
    )
    require(
        min(len(rows), len(columns)) > STEP,
        f"A feature sees {len(rows)}×{len(columns)} pixels, no more than its own {STEP}×{STEP}: "
        "two convolutions of size 3 see 7×7.",
    )
    moved = array(student.method("encoder", "features", np.roll(x, STEP, axis=2)), what=what)
    require(
        np.allclose(moved[:, :, 3:5], plain[:, :, 2:4], atol=1e-3),
        f"Move the image by {STEP} pixels, and the features do not move by one place: the weights "
        "differ from place to place, or the axes are mixed up.",
    )


def _pixels_seen(student: Student, x: np.ndarray) -> np.ndarray:
    """Which pixels the middle feature depends on, ``(height, width)``: each is changed in turn."""
    changes = np.eye(SIDE * SIDE, dtype=np.float32).reshape(-1, 1, SIDE, SIDE)
    flipped = np.abs(x - changes).reshape(-1, SIDE, SIDE)
    after = np.asarray(student.method("encoder", "features", flipped))[:, MIDDLE, MIDDLE]
    before = np.asarray(student.method("encoder", "features", x))[:, MIDDLE, MIDDLE]
    gap = np.abs(after.reshape(len(changes), len(x), -1) - before).max((1, 2))
    return (gap > 1e-5).reshape(SIDE, SIDE)


def _knows_places(student: Student, context: Context) -> None:
    """The same strokes elsewhere must have another code: pooling would forget where they are."""
    x = np.zeros((6, SIDE, SIDE), np.float32)
    x[:, 8:16, 8:16] = context.rng.random((6, 8, 8)) < 0.5
    mean, moved = (student.call("encoder", image)[0] for image in (x, np.roll(x, STEP, axis=2)))
    require(
        not np.allclose(mean, moved, atol=1e-4),
        "The mean forgets where the strokes are: the features are averaged over the places. "
        "Flatten them, (batch, 7, 7, channels) to (batch, 7 · 7 · channels).",
    )


def _decoder(student: Student, context: Context) -> None:
    z = context.rng.normal(0, 3, (6, int(student.value(LATENTS)))).astype(np.float32)
    made = array(student.call("decoder", z), (6, SIDE, SIDE), what="decoder(z)")
    require(np.isfinite(made).all(), "decoder(z) is NaN or infinite in places.")
    require(np.ptp(made, axis=0).max() > 1e-6, "decoder(z) ignores z.")
    require(
        made.min() < 0 or made.max() > 1,
        "These are probabilities: leave the sigmoid out, and return the logits.",
    )
    require(made.min() < 0, "No logit is negative: is there an activation after the last layer?")
    h = context.rng.normal(size=(4, CELLS, CELLS, int(student.value(CHANNELS)[-1])))
    reached = _pixels_reached(student, h.astype(np.float32))
    require(
        reached.any(0).all(),
        f"{1 - reached.any(0).mean():.0%} of the pixels are reached by no feature: the kernel is "
        "smaller than the stride and leaves holes.",
    )
    middle = reached[MIDDLE * CELLS + MIDDLE]
    rows, columns = np.flatnonzero(middle.any(1)), np.flatnonzero(middle.any(0))
    require(
        np.ptp(rows) < SIDE // 2 and np.ptp(columns) < SIDE // 2,
        "One feature changes nearly the whole image: up-sample with convolutions, not densely.",
    )
    require(
        abs(rows.mean() - 14) < STEP and abs(columns.mean() - 14) < STEP,
        "The feature in the middle changes pixels elsewhere: axes or blocks are mixed up.",
    )


def _pixels_reached(student: Student, h: np.ndarray) -> np.ndarray:
    """Which pixels each feature changes, ``(features, height, width)``."""
    changes = np.eye(CELLS * CELLS, dtype=np.float32).reshape(-1, 1, CELLS, CELLS, 1)
    shape, what = (len(changes), len(h), SIDE, SIDE), "decoder.upsample(h)"
    batch = (h + changes).reshape(-1, *h.shape[1:])
    after = array(student.method("decoder", "upsample", batch), (len(batch), SIDE, SIDE), what=what)
    before = array(student.method("decoder", "upsample", h), (len(h), SIDE, SIDE), what=what)
    return np.abs(after.reshape(shape) - before).max(1) > 1e-6


def _depth_to_space(student: Student, context: Context) -> None:
    batch, height, width, block, channels = 2, 3, 4, 3, 2
    h = context.rng.normal(size=(batch, height, width, block**2 * channels)).astype(np.float32)
    parts = h.reshape(batch, height, width, block, block, channels)
    outside = h.reshape(batch, height, width, channels, block, block)
    shape = (batch, block * height, block * width, channels)
    near(
        student.call("depth_to_space", h, block),
        _laid_out(h, block),
        what="depth_to_space(h, block)",
        mistakes={
            "Rows and columns of each block are swapped.": _laid_out(
                np.swapaxes(parts, 3, 4).reshape(h.shape), block
            ),
            "The channels are taken in another order: channel (a · block + b) · C + c belongs to "
            "row a and column b; here the C channels come first, not last.": _laid_out(
                np.moveaxis(outside, 3, 5).reshape(h.shape), block
            ),
            "A reshape alone leaves the rows of a block side by side: transpose before it.": (
                h.reshape(shape)
            ),
            "Places of the block and places of the grid are swapped: the blocks are laid out "
            "as whole pictures beside each other.": (
                parts.transpose(0, 3, 1, 4, 2, 5).reshape(shape)
            ),
            "Every pixel of a block is the same: this repeats channels, and uses only the first.": (
                h[..., :channels].repeat(block, 1).repeat(block, 2)
            ),
            "Every pixel of a block is the same: the channels are averaged.": (
                parts.mean((3, 4)).repeat(block, 1).repeat(block, 2)
            ),
        },
    )


def _laid_out(h: np.ndarray, block: int) -> np.ndarray:
    """Depth to space by its definition: each pixel of a block is a slice of the channels."""
    batch, height, width, depth = h.shape
    channels = depth // block**2
    out = np.empty((batch, block * height, block * width, channels))
    for a in range(block):
        for b in range(block):
            first = (a * block + b) * channels
            out[:, a::block, b::block] = h[..., first : first + channels]
    return out


def _cost(student: Student, context: Context) -> None:
    rows = context.rng.integers(2, 12, (4, 5))
    given = [tuple(map(int, row)) for row in rows]
    found = [
        array(student.call("cost", *row), (2,), what="cost(height, width, kernel, inputs, outputs)")
        for row in given
    ]
    height, width, kernel, inputs, outputs = np.asarray(given, float).T
    weights, places = kernel**2 * inputs * outputs, height * width
    near(
        np.transpose(found),
        [weights + outputs, places * weights],
        what="cost, parameters then multiplications,",
        mistakes={
            "The biases are forgotten: each output channel has one.": [weights, places * weights],
            "There is one bias for each output channel, not for each weight or input.": (
                [weights + inputs, places * weights]
            ),
            "A bias is added, not multiplied: it is no multiplication.": (
                [weights + outputs, places * (weights + outputs)]
            ),
            "The kernel is square: it has kernel · kernel places, not kernel.": (
                [weights / kernel + outputs, places * weights / kernel]
            ),
            "The weights are the same at every place: they are counted once.": (
                [places * weights + outputs, places * weights]
            ),
            "Each weight is used at every place of the output, height · width times.": (
                [weights + outputs, weights]
            ),
            "Each output channel looks at all input channels.": (
                [weights / inputs + outputs, places * weights / inputs]
            ),
            "The two are swapped: give (parameters, multiplications).": (
                [places * weights, weights + outputs]
            ),
        },
    )


def _prediction(student: Student, context: Context) -> None:
    number(student.value("predicted_margin"), what="predicted_margin")


def _models(student: Student, context: Context) -> None:
    kernels = [w for w in student.weights(CONV).values() if w.ndim == 4 and w.shape[0] > 1]
    require(len(kernels) >= 2, 'models["conv"] has no convolutions; it needs encoder and decoder.')
    conv, mlp = (sum(w.size for w in student.weights(model).values()) for _, model in _both())
    require(
        conv <= mlp,
        f"The dense model has {mlp:,} parameters, and the convolutional one {conv:,}: the "
        "comparison is fair only if the dense one has no fewer. Make its layer wider.",
    )
    require(
        mlp <= MOST_PARAMETERS * conv,
        f"The dense model has {mlp / conv:.1f} times the parameters of the convolutional one: "
        "take the narrowest layer that gives no fewer.",
    )
    x = held_out(context, HELD_OUT).x
    totals = {name: _total(student, model, x, context) for name, model in _both()}
    coin = x[0].size * np.log(2)
    for name, total in totals.items():
        require_learned(total, context, what=f'models["{name}"]')
        require(
            total.mean() < TRAINED[context.budget] * coin,
            f"−ELBO of the model {name!r} is {total.mean():.0f} nats on test images, and that of "
            f"a coin for every pixel {coin:.0f}: is it trained?",
        )
    gap, error = paired_margin(totals["conv"], totals["mlp"])
    require(
        gap > STANDARD_ERRORS * error,
        f"The convolutional model should have the lower −ELBO, and the margin is {gap:.1f} ± "
        f"{error:.1f} nats: are both trained with the same settings?",
    )


def _both() -> tuple[tuple[str, Handle], ...]:
    return ("conv", CONV), ("mlp", MLP)


def _total(student: Student, model: Handle, x: np.ndarray, context: Context) -> np.ndarray:
    """−ELBO of each image in nats."""
    return np.add(*terms(student, model, x, context))


def _margin(student: Student, context: Context) -> None:
    stated = student.value("margin")
    if not isinstance(stated, tuple | np.ndarray) or len(stated) != 2:
        raise Mistake("margin should be (nats per image, standard error).")
    gap, error = (number(part, what="A number of margin") for part in stated)
    # The notebook's own images: its keys are public, and it states its numbers about these.
    whole = context.images.test_images
    rows = context.rng.permutation(len(whole))[:HELD_OUT]
    x = binarized(whole, seed=1)[rows]
    (dc, rc), (dm, rm) = (terms(student, model, x, context) for _, model in _both())
    again = [_total(student, model, x, context) for _, model in _both()]
    each = (dm + rm) - (dc + rc)
    truth, paired = paired_margin(dc + rc, dm + rm)
    _, noise = paired_margin(again[1] - again[0], each)
    unseen = 1 - len(x) / len(whole)
    near(
        gap,
        truth,
        what="The margin in nats per image",
        mistakes={
            "The sign is wrong: the margin is −ELBO of the dense model minus that of the other.": (
                -truth
            ),
            "The margin is averaged over the pixels too: −ELBO sums them.": truth / x[0].size,
            "The margin is summed over the images: take the mean.": truth * len(whole),
            "Only the distortions are compared: −ELBO is distortion plus rate.": (dm - dc).mean(),
            "Only the rates are compared: −ELBO is distortion plus rate.": (rm - rc).mean(),
        },
        tolerance=NOISE * np.sqrt(noise**2 + unseen * paired**2) / (1 + abs(truth)),
    )
    spread = [(d + r).var(ddof=1) / len(x) for d, r in ((dc, rc), (dm, rm))]
    near(
        error / (paired * np.sqrt(len(x) / len(whole))),
        1.0,
        what="Your standard error, over that of the paired differences,",
        mistakes={
            "This is the standard deviation between images: divide by √n.": np.sqrt(len(whole)),
            "The two are not paired: take the differences image by image first, then their "
            "standard error.": np.sqrt(sum(spread)) / paired,
            "The standard deviation was divided by n, not by √n.": 1 / np.sqrt(len(whole)),
        },
        tolerance=ERROR,
    )


def _shuffled(student: Student, context: Context) -> None:
    choice(
        student.value("shuffled"),
        "b",
        {
            "a": "A dense layer has a weight of its own for every pixel: in another order of the "
            "pixels the same weights do the same, in that order.",
            "c": "A convolution looks at a pixel together with its neighbours; ask what the "
            "neighbours are after the shuffle.",
        },
        what="shuffled",
    )


EXERCISE = Exercise(
    id="03-convolutional",
    title="Convolutional VAE",
    minutes=60,
    tasks=(
        Task(
            "encoder", "An encoder of convolutions", 4, _encoder, PAGE + "what-one-pixel-can-change"
        ),
        Task("decoder", "A decoder that doubles", 3, _decoder, PAGE + "the-way-back"),
        Task(
            "depth_to_space", "A cheaper up-sampling", 3, _depth_to_space, PAGE + "depth-to-space"
        ),
        Task("cost", "What a convolution costs", 2, _cost, PAGE + "what-it-costs"),
        Task("predicted_margin", "A prediction", 1, _prediction),
        Task("models", "Two models, equally large", 3, _models, PAGE + "training-on-a-cpu"),
        Task("margin", "The margin", 2, _margin, PAGE + "does-it-help"),
        Task(
            "shuffled", "Shuffled pixels", 1, _shuffled, PAGE + "what-a-dense-layer-does-not-know"
        ),
        Task(
            "why_fewer", "Why fewer weights do better", 2, None, PAGE + "a-convolution-in-numbers"
        ),
    ),
)
