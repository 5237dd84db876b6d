import dataclasses

import brainstate
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy import stats

from vae_course import data, training
from vae_course.architectures import ConvDecoder
from vae_course.config import ModelConfig, TrainConfig
from vae_course.errors import ConfigError, ShapeError, TrainingError
from vae_course.evaluation import evaluate
from vae_course.losses import elbo
from vae_course.models import VAE, Encoder, parameters
from vae_course.training import fit, init_model, learning_rate_schedule, make_optimizer, train_step

SMALL = ModelConfig(hidden_sizes=(16,), latent_size=4)
QUICK = TrainConfig(batch_size=100, epochs=2, learning_rate=3e-3)


@pytest.fixture(scope="module")
def few(digits):
    """Some of the digits, for speed."""
    return digits._replace(
        train_images=digits.train_images[:400],
        train_labels=digits.train_labels[:400],
        test_images=digits.test_images[:60],
        test_labels=digits.test_labels[:60],
    )


def weights_of(model):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(training._weights(model))]


def test_one_step_is_adam_on_the_gradient_of_the_loss():
    model = init_model(SMALL, seed=0)
    x = jax.random.bernoulli(jax.random.key(0), 0.3, (8, 28, 28)).astype(jnp.float32)
    key = jax.random.key(1)
    bias = parameters(model)[("decoder", "pixels", "weight")]

    def loss_at(shift):
        before = bias.value
        bias.value = {**before, "bias": before["bias"] + shift}
        out = model(x, key=key)
        bias.value = before
        return float(elbo(out.logits, x, out.mean, out.logvar, beta=2.0).loss)

    direction = np.zeros(784, np.float32)
    direction[300] = 1.0
    slope = (loss_at(0.05 * direction) - loss_at(-0.05 * direction)) / 0.1
    before, start = np.asarray(bias.value["bias"]), loss_at(np.zeros(784, np.float32))
    terms = train_step(model, make_optimizer(model, QUICK, 4), x, key=key, beta=2.0)
    moved = np.asarray(bias.value["bias"]) - before
    # The first step of Adam is the rate, against the gradient's sign.
    assert moved[300] == pytest.approx(-QUICK.learning_rate * np.sign(slope), rel=1e-3)
    assert terms.loss == pytest.approx(start, rel=1e-5)


def test_gradient_of_every_weight_against_finite_differences(tiny):
    x = jax.random.bernoulli(jax.random.key(0), 0.5, (6, 3, 3)).astype(jnp.float32)
    graph, states = brainstate.graph.treefy_split(tiny)

    def loss(states):
        out = brainstate.graph.treefy_merge(graph, states)(x, key=jax.random.key(1))
        return elbo(out.logits, x, out.mean, out.logvar, beta=1.5).loss

    gradient = jax.grad(loss)(states)
    leaves, shape = jax.tree.flatten(states)
    for number, leaf in enumerate(leaves):
        direction = jax.random.normal(jax.random.key(number), leaf.shape)
        moved = [
            shape.unflatten([*leaves[:number], leaf + s * direction, *leaves[number + 1 :]])
            for s in (1e-2, -1e-2)
        ]
        slope = float(loss(moved[0]) - loss(moved[1])) / 2e-2
        analytic = float(jnp.vdot(jax.tree.leaves(gradient)[number], direction))
        assert analytic == pytest.approx(slope, rel=2e-2, abs=2e-3)


def test_training_lowers_the_held_out_loss(trained):
    _, history = trained
    assert history.epochs == 15
    assert history.test_loss[-1] < history.test_loss[0] - 20
    assert np.isfinite(np.asarray(history[:-1])).all()
    assert (history.seconds > 0).all()
    np.testing.assert_allclose(history.test_loss, history.test_negative_elbo)


def test_history_is_what_evaluate_says_of_the_final_model(few):
    model = init_model(SMALL, seed=0)
    config = dataclasses.replace(QUICK, beta=3.0, binarization="static")
    history = fit(model, few, config, key=jax.random.key(0), progress=False)
    x = data.binarize(few.test_images, "static")
    result = evaluate(model, x, key=jax.random.split(jax.random.key(0), 3)[2])
    assert history.test_distortion[-1] == pytest.approx(result.distortion)
    assert history.test_loss[-1] == pytest.approx(result.distortion + 3 * result.rate)


@pytest.mark.parametrize("binarization", ["threshold", "static", "stochastic"])
def test_training_compiles_once(few, monkeypatch, binarization):
    traces = []
    traced = training.train_step
    monkeypatch.setattr(training, "train_step", lambda *a, **k: traces.append(1) or traced(*a, **k))
    config = dataclasses.replace(QUICK, epochs=3, binarization=binarization, average_decay=0.9)
    fit(init_model(SMALL, seed=0), few, config, key=jax.random.key(0), progress=False)
    once = len(traces)
    fit(
        init_model(SMALL, seed=0),
        few,
        dataclasses.replace(config, epochs=1),
        key=jax.random.key(0),
        progress=False,
    )
    # One compilation may trace more than once; three epochs must not trace more than one.
    assert len(traces) == 2 * once


def test_same_seed_same_history(few):
    runs = [
        fit(init_model(SMALL, seed=s), few, QUICK, key=jax.random.key(s), progress=False)
        for s in (0, 0, 1)
    ]
    for first, second in zip(runs[0][:6], runs[1][:6], strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.allclose(runs[0].test_loss, runs[2].test_loss)


def test_static_images_are_the_same_in_every_epoch_and_stochastic_ones_are_not(few, monkeypatch):
    seen = []

    def remember(model, optimizer, x, *, key, beta, labels):
        del model, optimizer, key, beta
        assert labels is None
        jax.debug.callback(lambda batch: seen.append(np.asarray(batch)), x, ordered=False)
        zero = jnp.zeros(())
        return training.ElboTerms(zero, zero, zero, zero)

    monkeypatch.setattr(training, "train_step", remember)
    pixels = {}
    for method in ("static", "stochastic"):
        seen.clear()
        config = dataclasses.replace(QUICK, binarization=method)
        fit(init_model(SMALL, seed=0), few, config, key=jax.random.key(0), progress=False)
        jax.effects_barrier()
        epochs = np.concatenate(seen).reshape(2, 400, 784)
        pixels[method] = [np.sort(epoch.sum(1)) for epoch in epochs]
        assert np.isin(epochs, [0.0, 1.0]).all()
    np.testing.assert_array_equal(*pixels["static"])
    assert (pixels["stochastic"][0] != pixels["stochastic"][1]).any()
    expected = np.sort(np.asarray(data.binarize(few.train_images, "static")).sum((1, 2)))
    np.testing.assert_array_equal(pixels["static"][0], expected)


@pytest.mark.filterwarnings("ignore:.*[Oo]verflow.*:RuntimeWarning")
def test_a_loss_that_is_not_a_number_stops_and_keeps_the_last_good_weights(few):
    model = init_model(SMALL, seed=0)
    before = weights_of(model)
    config = dataclasses.replace(QUICK, learning_rate=1e30)
    with pytest.raises(TrainingError, match=r"step \d of epoch 1.*smaller learning_rate"):
        fit(model, few, config, key=jax.random.key(0), progress=False)
    for left, right in zip(weights_of(model), before, strict=True):
        np.testing.assert_array_equal(left, right)


def test_an_interrupt_keeps_the_last_complete_epoch(few, monkeypatch):
    calls = []

    def evaluate_twice(*args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return evaluate(*args, **kwargs)

    monkeypatch.setattr(training, "evaluate", evaluate_twice)
    model = init_model(SMALL, seed=0)
    config = dataclasses.replace(QUICK, epochs=5)
    with pytest.warns(UserWarning, match="after 2 of 5 epochs"):
        history = fit(model, few, config, key=jax.random.key(0), progress=False)
    monkeypatch.undo()
    whole = init_model(SMALL, seed=0)
    fit(whole, few, dataclasses.replace(QUICK, epochs=2), key=jax.random.key(0), progress=False)
    assert history.interrupted
    assert history.epochs == 2
    for left, right in zip(weights_of(model), weights_of(whole), strict=True):
        np.testing.assert_array_equal(left, right)


def test_an_interrupt_before_the_first_epoch_leaves_an_empty_history(few, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "evaluate", interrupt)
    model = init_model(SMALL, seed=0)
    before = weights_of(model)
    with pytest.warns(UserWarning, match="after 0 of 2"):
        history = fit(model, few, QUICK, key=jax.random.key(0), progress=False)
    assert history.epochs == 0
    np.testing.assert_array_equal(weights_of(model)[0], before[0])


def test_averaged_weights_are_the_moving_average(few):
    config = dataclasses.replace(QUICK, batch_size=400, epochs=3, binarization="threshold")
    path = []
    for epochs in (1, 2, 3):
        model = init_model(SMALL, seed=0)
        shorter = dataclasses.replace(config, epochs=epochs)
        fit(model, few, shorter, key=jax.random.key(0), progress=False)
        path.append(weights_of(model))
    averaged = init_model(SMALL, seed=0)
    fit(
        averaged,
        few,
        dataclasses.replace(config, average_decay=0.5),
        key=jax.random.key(0),
        progress=False,
    )
    # One step an epoch: weights ½, ¼, ⅛ from the last backwards, over their sum ⅞.
    for a, b, c, mean in zip(*path, weights_of(averaged), strict=True):
        np.testing.assert_allclose(mean, (c / 2 + b / 4 + a / 8) * 8 / 7, rtol=1e-4, atol=1e-6)


def test_schedules_by_hand():
    def rates(**settings):
        schedule = learning_rate_schedule(TrainConfig(learning_rate=0.1, **settings), 10)
        return [float(schedule(step)) for step in (0, 10, 20, 30, 40)]

    assert rates(epochs=4) == pytest.approx([0.1] * 5)
    assert rates(epochs=4, warmup_epochs=2) == pytest.approx([0, 0.05, 0.1, 0.1, 0.1])
    cosine = 0.05 * (1 + np.cos(np.pi * np.array([0, 0.25, 0.5, 0.75, 1])))
    assert rates(epochs=4, schedule="cosine") == pytest.approx(cosine, abs=1e-8)
    warm = [0, 0.05, 0.1, 0.05, 0]
    assert rates(epochs=4, schedule="cosine", warmup_epochs=2) == pytest.approx(warm, abs=1e-8)


def test_optimizer_is_adam():
    model = init_model(SMALL, seed=0)
    optimizer = make_optimizer(model, QUICK, 4)
    start = training._weights(model)
    gradients = jax.tree.map(
        lambda array: jnp.cos(jnp.arange(array.size)).reshape(array.shape), start
    )
    adam = optax.adam(QUICK.learning_rate)
    state, expected = adam.init(start), start
    for _ in range(3):
        updates, state = adam.update(gradients, state)
        expected = optax.apply_updates(expected, updates)
        optimizer.update(gradients)
    for left, right in zip(weights_of(model), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-8)


def test_more_images_in_a_batch_than_there_are_is_refused(few):
    config = dataclasses.replace(QUICK, batch_size=401)
    with pytest.raises(ConfigError, match="from 1 to 400"):
        fit(init_model(SMALL, seed=0), few, config, key=jax.random.key(0), progress=False)


def test_images_of_another_size_are_refused(few):
    model = init_model(dataclasses.replace(SMALL, image_shape=(14, 14)), seed=0)
    with pytest.raises(ShapeError, match=r"\(batch, 14, 14\)"):
        fit(model, few, QUICK, key=jax.random.key(0), progress=False)


# --- Convolutional and conditional models ---

CONV = dataclasses.replace(SMALL, channels=(2, 4))


def test_a_loop_of_steps_trains_as_the_compiled_epoch_does(few, monkeypatch):
    config = dataclasses.replace(QUICK, average_decay=0.9)
    histories, weights = [], []
    for loop_of_steps in (False, True):
        monkeypatch.setattr(training, "_has_convolution", lambda _, answer=loop_of_steps: answer)
        model = init_model(SMALL, seed=0)
        histories.append(fit(model, few, config, key=jax.random.key(0), progress=False))
        weights.append(weights_of(model))
    # Two compiled programs may differ in the last bits, and training makes them grow.
    for left, right in zip(histories[0][:6], histories[1][:6], strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-3)
    for left, right in zip(*weights, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-3)


class ConvolvesFirst(brainstate.nn.Module):
    """As a student may write one: it holds a convolution in a list in another module."""

    def __init__(self, rest):
        super().__init__()
        self.parts = [brainstate.nn.Sequential(brainstate.nn.Conv2d((28, 28, 1), 1, 3)), rest]

    def __call__(self, x):
        return self.parts[1](self.parts[0](x[..., None])[..., 0])


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: init_model(SMALL, seed=0), False),
        (lambda: init_model(dataclasses.replace(SMALL, classes=10), seed=0), False),
        (lambda: init_model(CONV, seed=0), True),
        (lambda: init_model(dataclasses.replace(CONV, upsampling="depth_to_space"), seed=0), True),
        (lambda: VAE(SMALL, encoder=ConvolvesFirst(Encoder(SMALL))), True),
        (lambda: VAE(SMALL, decoder=ConvDecoder(CONV)), True),
    ],
)
def test_convolutions_are_found_wherever_they_are(make, expected):
    assert training._has_convolution(make()) is expected


def test_a_convolutional_step_is_adam_on_the_gradient():
    model = init_model(dataclasses.replace(CONV, activation="tanh", image_shape=(8, 8)), seed=0)
    forward = brainstate.transform.jit(model)
    x = jax.random.bernoulli(jax.random.key(0), 0.3, (8, 8, 8)).astype(jnp.float32)
    kernel = parameters(model)[("encoder", "convolutions", 0, "weight")]

    def loss_at(shift):
        before = kernel.value
        kernel.value = {**before, "weight": before["weight"].at[1, 1, 0, 0].add(shift)}
        out = forward(x, key=jax.random.key(1))
        kernel.value = before
        return float(elbo(out.logits, x, out.mean, out.logvar).loss)

    slope = (loss_at(0.05) - loss_at(-0.05)) / 0.1
    before = kernel.value["weight"][1, 1, 0, 0]
    optimizer = make_optimizer(model, QUICK, 4)
    step = brainstate.transform.jit(lambda x, key: train_step(model, optimizer, x, key=key))
    terms = step(x, jax.random.key(1))
    moved = float(kernel.value["weight"][1, 1, 0, 0] - before)
    assert np.isfinite(terms.loss)
    assert moved == pytest.approx(-QUICK.learning_rate * np.sign(slope), rel=1e-2)


def test_a_convolutional_model_learns_and_compiles_one_step(few, monkeypatch):
    traces = []
    traced = training.train_step
    monkeypatch.setattr(training, "train_step", lambda *a, **k: traces.append(1) or traced(*a, **k))
    config = dataclasses.replace(QUICK, epochs=1, learning_rate=1e-2)
    fit(init_model(CONV, seed=0), few, config, key=jax.random.key(0), progress=False)
    once = len(traces)
    model = init_model(CONV, seed=0)
    config = dataclasses.replace(config, epochs=8)
    history = fit(model, few, config, key=jax.random.key(0), progress=True)
    assert len(traces) == 2 * once
    assert history.test_loss[-1] < history.test_loss[0] - 50


def test_an_interrupt_within_an_epoch_of_steps_keeps_the_last_complete_epoch(few, monkeypatch):
    calls = []
    fetched = jax.device_get

    def interrupt_in_the_second_epoch(terms):
        calls.append(1)
        if len(calls) == 6:  # of four steps an epoch
            raise KeyboardInterrupt
        return fetched(terms)

    monkeypatch.setattr(training.jax, "device_get", interrupt_in_the_second_epoch)
    monkeypatch.setattr(training, "_has_convolution", lambda _: True)
    model = init_model(SMALL, seed=0)
    with pytest.warns(UserWarning, match="after 1 of 2 epochs"):
        history = fit(model, few, QUICK, key=jax.random.key(0), progress=False)
    whole = init_model(SMALL, seed=0)
    fit(whole, few, dataclasses.replace(QUICK, epochs=1), key=jax.random.key(0), progress=False)
    assert (history.interrupted, history.epochs) == (True, 1)
    for left, right in zip(weights_of(model), weights_of(whole), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.filterwarnings("ignore:.*[Oo]verflow.*:RuntimeWarning")
def test_a_convolutional_loss_that_is_not_a_number_is_refused_too(few):
    model = init_model(CONV, seed=0)
    before = weights_of(model)
    config = dataclasses.replace(QUICK, epochs=1, learning_rate=1e30)
    with pytest.raises(TrainingError, match=r"step \d of epoch 1"):
        fit(model, few, config, key=jax.random.key(0), progress=False)
    for left, right in zip(weights_of(model), before, strict=True):
        np.testing.assert_array_equal(left, right)


def test_each_image_of_a_batch_comes_with_its_own_label(few, monkeypatch):
    seen = []

    def remember(model, optimizer, x, *, labels, **_):
        jax.debug.callback(lambda *batch: seen.append(batch), x, labels, ordered=False)
        zero = jnp.zeros(())
        return training.ElboTerms(zero, zero, zero, zero)

    monkeypatch.setattr(training, "train_step", remember)
    # An image that shows its label, as its number of white pixels.
    labels = np.arange(400, dtype=np.uint8) % 10
    images = np.zeros((400, 28, 28), np.uint8)
    images[np.arange(28)[None] < labels[:, None], 0] = 255
    told = few._replace(train_images=images.reshape(400, 28, 28), train_labels=labels)
    model = init_model(dataclasses.replace(SMALL, classes=10), seed=0)
    fit(model, told, QUICK, key=jax.random.key(0), progress=False)
    jax.effects_barrier()
    x, y = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    assert len(y) == 2 * 400
    np.testing.assert_array_equal(x.sum((1, 2)), y)


def test_a_conditional_model_learns_what_a_label_says(few):
    """Every image is one of two, and the label says which: the code has nothing left to say."""
    labels = np.arange(400) % 2
    grey = np.where(labels[:, None, None] == 1, np.tril(np.full((3, 3), 255)), 0).astype(np.uint8)
    told = few._replace(
        train_images=grey,
        train_labels=labels,
        test_images=grey[:60],
        test_labels=labels[:60],
    )
    config = TrainConfig(batch_size=50, epochs=25, learning_rate=5e-2, binarization="threshold")
    model = init_model(dataclasses.replace(SMALL, image_shape=(3, 3), classes=2), seed=0)
    history = fit(model, told, config, key=jax.random.key(0), progress=False)
    # Without the label, telling two images apart costs log 2 = 0.69 nats at least.
    assert history.test_negative_elbo[-1] < 0.6


def test_more_classes_in_the_data_than_in_the_model_are_refused(few):
    model = init_model(dataclasses.replace(SMALL, classes=9), seed=0)
    with pytest.raises(ShapeError, match="run from 0 to 9"):
        fit(model, few, QUICK, key=jax.random.key(0), progress=False)


@pytest.mark.slow
def test_the_course_preset_learns_mnist(mnist):
    from vae_course.config import preset

    shape, config, _ = preset("quick")
    model = init_model(shape, seed=0)
    config = dataclasses.replace(config, epochs=3)
    history = fit(model, mnist, config, key=jax.random.key(0), progress=False)
    # Ten pixel-wise Bernoulli means, one a class, cannot reach 150 nats; three epochs can.
    assert history.test_negative_elbo[-1] < 130
    assert stats.spearmanr(history.test_negative_elbo, range(3)).statistic == pytest.approx(-1)
