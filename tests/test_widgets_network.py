"""Trained networks in the page: every layer, in Chromium, against the package's own."""

import base64

import brainstate
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from browser import chromium_path
from playwright.sync_api import sync_playwright

from vae_course import data, training
from vae_course.config import ModelConfig, TrainConfig
from vae_course.widgets.figure import HERE
from vae_course.widgets.network import Network, decoder_network, encoder_network

pytestmark = pytest.mark.browser
CONV = {"hidden_sizes": (32,), "latent_size": 4, "channels": (8, 16)}
CONFIGS = {
    "relu": ModelConfig(hidden_sizes=(64, 32), latent_size=5),
    "silu": ModelConfig(hidden_sizes=(16,), latent_size=2, activation="silu"),
    "labels": ModelConfig(hidden_sizes=(32,), latent_size=3, classes=10, activation="tanh"),
    "transposed": ModelConfig(**CONV),
    "squares": ModelConfig(**CONV, upsampling="depth_to_space"),
}
RUN = """async ([source, layers, weights, input]) => {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { makeNetwork } = await import(address);
  const halves = Uint8Array.from(atob(weights), (letter) => letter.charCodeAt(0));
  return Array.from(makeNetwork(layers, halves)(input));
}"""


@pytest.fixture(scope="module")
def page():
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def run(page, network, values):
    source = (HERE / "network.js").read_text()
    weights = base64.b64encode(network.weights).decode()
    return np.array(page.evaluate(RUN, [source, network.layers, weights, values.tolist()]))


def model_with_all_weights(config):
    """Random weights and biases that half precision holds exactly."""
    model = training.init_model(config, seed=0)
    for state in model.states(brainstate.ParamState).values():
        state.value = jax.tree.map(
            lambda w: (
                (w + 0.05 * jax.random.normal(jax.random.key(w.size), w.shape))
                .astype(jnp.float16)
                .astype(jnp.float32)
            ),
            state.value,
        )
    return model


@pytest.mark.parametrize("name", CONFIGS)
def test_a_network_computes_in_the_page_what_it_computes_here(page, name):
    config = CONFIGS[name]
    model = model_with_all_weights(config)
    pixels, code = jax.random.key(1), jax.random.key(2)
    x = (jax.random.uniform(pixels, (1, 28, 28)) < 0.3).astype(jnp.float32)
    z = jax.random.normal(code, (1, config.latent_size))
    labels = (jnp.array([3]),) if config.classes else ()
    hot = np.eye(10)[3][: config.classes]
    mean, logvar = model.encode(x, *labels)
    encoded = run(page, encoder_network(model), np.append(x, hot))
    assert np.abs(encoded - np.append(mean, logvar)).max() < 2e-5
    decoded = run(page, decoder_network(model), np.append(z, hot))
    assert np.abs(decoded - np.ravel(model.decode(z, *labels))).max() < 2e-5


def test_a_transposed_convolution_by_hand(page):
    """One pixel of 2 is painted with as much of a 3×3 kernel as 2×2 pixels hold."""
    layer = {"kind": "transposed", "shape": [1, 1, 1], "outputs": 1, "size": 3, "stride": 2}
    weights = np.append(np.arange(1.0, 10.0), 0.5).astype("<f2").tobytes()
    network = Network([{**layer, "activation": "none"}], weights)
    assert run(page, network, np.array([2.0])).tolist() == [2.5, 4.5, 8.5, 10.5]


def test_weights_that_do_not_fit_their_layers_are_refused(page):
    layer = {"kind": "dense", "inputs": 2, "outputs": 1, "activation": "none"}
    network = Network([layer], bytes(4))
    with pytest.raises(Exception, match="weights for"):
        run(page, network, np.zeros(2))


def test_half_precision_is_close_enough_for_a_trained_network(page):
    images = data.load_images("digits")
    model = training.init_model(ModelConfig(hidden_sizes=(64,), latent_size=8), seed=0)
    settings = TrainConfig(epochs=20, learning_rate=2e-3)
    training.fit(model, images, settings, key=jax.random.key(0), progress=False)
    z = jax.random.normal(jax.random.key(1), (1, 8))
    pixels = 1 / (1 + np.exp(-run(page, decoder_network(model), np.asarray(z[0]))))
    assert np.abs(pixels - np.ravel(jax.nn.sigmoid(model.decode(z)))).max() <= 1e-3
