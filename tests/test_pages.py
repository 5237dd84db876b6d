"""The built book in Chromium: every page from a file and over http, light and dark, by axe."""

import base64
import contextlib
import functools
import gzip
import http.server
import json
import threading
from typing import NamedTuple
from urllib.parse import urlsplit

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import chromium_path
from playwright.sync_api import sync_playwright
from test_book import HTML, toc_files

from vae_course import links

PAGES = [*toc_files(), "genindex", "search"]
LIVE = {
    "book/index": "Latent explorer",
    "book/theory": "KL and bound",
    "book/encoder": "Reparameterization",
    "book/evaluation": "Draw your own digit",
    "book/beta": "Rate and distortion",
    "book/generation": "Latent explorer",
    "book/latent_space": "Interpolation",
    "book/conditional": "Digit on demand",
    "book/disentangled": "Traversal",
}
LISTEN = "window.told = []; document.addEventListener('live', (e) => told.push(e.detail))"
MOST_BYTES = 1_500_000
FRAME_MS = 8
READY_MS = 2000
PACKED = (".png", ".jpg", ".woff", ".woff2")  # compressed already
SERIOUS = ("serious", "critical")

pytestmark = [pytest.mark.built, pytest.mark.browser]


class Handler(http.server.SimpleHTTPRequestHandler):
    """A server that says nothing."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address():
    """Where the book is served."""
    handler = functools.partial(Handler, directory=HTML)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def chromium():
    path = chromium_path()
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


class Seen(NamedTuple):
    """What a page did while it was open."""

    errors: list
    outside: list
    failed: list
    responses: list


@contextlib.contextmanager
def opened(browser, url, **settings):
    """A page, once it has come to rest, and what it did."""
    context = browser.new_context(viewport={"width": 1350, "height": 900}, **settings)
    page, seen = context.new_page(), Seen([], [], [], [])
    own = urlsplit(url).netloc
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("requestfailed", lambda request: seen.failed.append(request.url))

    def keep(response):
        seen.responses.append(response)

    def note(request):
        if urlsplit(request.url).scheme not in ("data", "blob") and (
            urlsplit(request.url).netloc != own
        ):
            seen.outside.append(request.url)

    page.on("request", note)
    page.on("response", keep)
    page.add_init_script(LISTEN)
    page.goto(url, wait_until="load")
    if settings.get("java_script_enabled", True):
        page.wait_for_function(
            "!window.MathJax?.startup || MathJax.startup.promise.then(() => true)"
        )
        if page.locator("script[type$='widget-view+json']").count():
            page.wait_for_function("told.length > 0")
    yield page, seen
    context.close()


def broken_pictures(page):
    return page.evaluate(
        "[...document.images].filter((i) => i.complete && !i.naturalWidth).map((i) => i.src)"
    )


def trouble(page, seen):
    """Everything that a page should not do."""
    missing = [r.url for r in seen.responses if r.status >= 400]
    return [*seen.errors, *seen.outside, *seen.failed, *missing, *broken_pictures(page)]


def violations(page):
    """Serious and critical findings of axe, each with the first place."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in SERIOUS
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_from_a_file_and_fits_a_phone(chromium, name):
    with opened(chromium, (HTML / f"{name}.html").as_uri()) as (page, seen):
        assert trouble(page, seen) == []
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_over_http_and_is_small(chromium, address, name):
    with opened(chromium, f"{address}/{name}.html") as (page, seen):
        assert trouble(page, seen) == []
        bodies = {r.url: r.body() for r in seen.responses if r.url.startswith("http")}
        sizes = {
            url: len(body) if urlsplit(url).path.endswith(PACKED) else len(gzip.compress(body))
            for url, body in bodies.items()
        }
        assert sum(sizes.values()) <= MOST_BYTES, sorted(sizes.items(), key=lambda one: -one[1])[:9]


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious_in_light_or_dark(chromium, name):
    with opened(chromium, (HTML / f"{name}.html").as_uri()) as (page, _):
        page.add_style_tag(content="* { transition: none !important }")  # colours at once
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
            assert violations(page) == [], scheme


def state_of(page):
    """The state of the page's live figure, its arrays decoded."""
    text = page.locator("script[type$='widget-state+json']").text_content()
    states = json.loads(text)["state"].values()
    one = next(state for state in states if state["state"].get("_esm"))
    values = dict(one["state"])
    for buffer in one.get("buffers", []):
        values[buffer["path"][0]] = base64.b64decode(buffer["data"])
    return values


def forward(layers, weights, inputs):
    """The network of a page, by JAX: dense layers, half-precision weights."""
    numbers = np.frombuffer(weights, "<f2").astype(np.float32)
    h, at = jnp.asarray(inputs, jnp.float32), 0
    for layer in layers:
        shape = layer["inputs"], layer["outputs"]
        w = numbers[at : at + np.prod(shape)].reshape(shape)
        at += w.size
        h = h @ w + numbers[at : at + shape[1]]
        at += shape[1]
        h = {"none": lambda v: v, "relu": jax.nn.relu, "silu": jax.nn.silu, "tanh": jnp.tanh}[
            layer["activation"]
        ](h)
    assert at == len(numbers)
    return np.asarray(h)


def worst_error(state, told):
    """The largest difference of a pixel or a code between the page and JAX, if it has any."""
    layers, weights = state.get("layers"), state.get("weights")
    if layers is None:
        return 0.0
    if "x" in told:
        code = forward(state["encoder"], state["encoder_weights"], told["x"])
        return np.abs(code - np.array(told["mean"] + told["logvar"])).max()
    if "chosen" in told:
        share = len(weights) // len(state["betas"])
        weights = weights[told["chosen"] * share :][:share]
        codes = np.frombuffer(state["draws"], "<f4").reshape(-1, state["latents"])
        return np.abs(
            jax.nn.sigmoid(forward(layers, weights, codes)) - np.array(told["drawn"])
        ).max()
    label = np.eye(state["classes"])[told["digit"]] if "digit" in told else []
    wanted = jax.nn.sigmoid(forward(layers, weights, [*told["z"], *label]))
    return np.abs(wanted - np.array(told["pixels"])).max()


def play_with(page, times=40):
    """Drag, or press arrow keys on a slider, so that many frames are drawn."""
    target = page.locator(".live-figure canvas[tabindex='0'], .live-figure input[type=range]").first
    target.scroll_into_view_if_needed()
    target.focus()
    for step in range(times):
        page.keyboard.press("ArrowRight" if step % 8 < 4 else "ArrowLeft")
        if step == 0:
            page.keyboard.press(" ")
        page.evaluate("new Promise((done) => requestAnimationFrame(done))")


@pytest.mark.parametrize("name", LIVE)
def test_a_live_figure_agrees_with_jax_and_is_quick(chromium, name):
    with opened(chromium, (HTML / f"{name}.html").as_uri()) as (page, seen):
        assert page.get_by_role("group", name=LIVE[name]).count() == 1
        state = state_of(page)
        assert worst_error(state, page.evaluate("told.at(-1)")) <= 1e-3
        before = page.evaluate("told.length")
        play_with(page)
        told = page.evaluate("told")
        assert len(told) >= before + 4
        assert worst_error(state, told[-1]) <= 1e-3
        assert np.median([one["milliseconds"] for one in told]) <= FRAME_MS
        assert not seen.errors


@pytest.mark.parametrize("name", LIVE)
def test_without_javascript_a_live_figure_has_its_picture(chromium, name):
    url = (HTML / f"{name}.html").as_uri()
    with opened(chromium, url, java_script_enabled=False) as (page, _):
        picture = page.locator("figure noscript img")
        assert picture.count() == 1
        assert len(picture.get_attribute("alt")) > 20
        assert picture.bounding_box()["width"] > 100


def test_the_landing_page_is_soon_alive(chromium, address):
    context = chromium.new_context(viewport={"width": 1350, "height": 900})
    page = context.new_page()
    page.add_init_script(LISTEN)
    page.goto(f"{address}/book/index.html", wait_until="commit")
    page.wait_for_function("window.told?.length > 0", timeout=10_000)
    assert page.evaluate("performance.now()") <= READY_MS
    context.close()


def test_only_pages_with_a_live_figure_load_its_script():
    with_script = {name for name in PAGES if "live.js" in (HTML / f"{name}.html").read_text()}
    assert set(LIVE) <= with_script
    assert "book/loss" not in with_script


def test_every_chapter_with_code_is_offered_as_a_notebook():
    for name in LIVE:
        text = (HTML / f"{name}.html").read_text()
        assert f"blob/notebooks/{name}.ipynb" in text
        assert f"labpath={name}.ipynb" in text
        assert (HTML / "_sources" / f"{name}.ipynb").exists()


def bad_page(folder, body):
    path = folder / "bad.html"
    path.write_text(f"<!doctype html><html lang='en'><title>Bad</title><body>{body}</body></html>")
    return path.as_uri()


@pytest.mark.parametrize(
    "body",
    [
        "<script>throw new Error('no')</script>",
        "<script src='https://example.org/a.js'></script>",
        "<img src='nowhere.png' alt='nothing'>",
    ],
)
def test_trouble_is_noticed(chromium, tmp_path, body):
    with opened(chromium, bad_page(tmp_path, body)) as (page, seen):
        assert trouble(page, seen)


def test_axe_would_find_something(chromium, tmp_path):
    with opened(chromium, bad_page(tmp_path, "<img src='data:image/png;base64,'>")) as (page, _):
        assert violations(page)


def test_a_wrong_network_would_be_noticed(chromium):
    with opened(chromium, (HTML / "book/index.html").as_uri()) as (page, _):
        state, told = state_of(page), page.evaluate("told.at(-1)")
        wrong = np.frombuffer(state["weights"], "<f2") * np.float16(1.5)
        assert worst_error(state | {"weights": wrong.tobytes()}, told) > 1e-2


def test_search_finds_pages_without_a_server(chromium):
    with opened(chromium, (HTML / "search.html").as_uri() + "?q=reparameterization") as (
        page,
        seen,
    ):
        page.locator("#search-results li a").first.wait_for()
        found = page.locator("#search-results li a").all_inner_texts()
        assert any("encoder" in title.lower() for title in found)
        assert not seen.outside


def test_the_reader_can_report_an_error_and_copy_code(chromium):
    with opened(chromium, (HTML / "book/loss.html").as_uri()) as (page, _):
        issue = page.locator("a[href*='/issues/new']").first.get_attribute("href")
        assert issue.startswith(links.repository())
        assert page.locator("button.copybtn").count() >= 5
