"""Every live figure in Chromium: from a file, moved by hand, against JAX."""

import re

import numpy as np
import pytest
from browser import chromium_path
from live_pages import SPECIMENS, page
from playwright.sync_api import sync_playwright

from vae_course.widgets.figure import HERE, SHARED

ROOT = HERE.parents[1]
LOADER = (ROOT / "book" / "_static" / "live.js").read_text()
LISTEN = "window.told = []; document.addEventListener('live', (e) => told.push(e.detail))"
CLOSE = 1e-3

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def chromium():
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=SPECIMENS)
def specimen(request, tmp_path_factory):
    made = SPECIMENS[request.param]()
    path = tmp_path_factory.mktemp("live") / f"{request.param}.html"
    path.write_text(page(made.figure, LOADER))
    return made, path.as_uri()


class Opened:
    """A page with a live figure, and what the figure told."""

    def __init__(self, browser, address, **settings):
        self.errors, self.outside = [], []
        self.context = browser.new_context(viewport={"width": 800, "height": 900}, **settings)
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self._note(request.url))
        self.page.add_init_script(LISTEN)
        self.page.goto(address)

    def _note(self, address):
        if not address.startswith(("file:", "blob:", "data:")):
            self.outside.append(address)

    def last(self, after=0):
        """What was told last, once more than ``after`` was told, and nothing new comes."""
        self.page.wait_for_function(f"told.length > {after}")
        self.page.wait_for_function(
            "(async (n) => { await new Promise((done) => setTimeout(done, 60));"
            " return n === told.length; })"
            "(told.length)"
        )
        return self.page.evaluate("told.at(-1)")

    def count(self):
        return self.page.evaluate("told.length")

    def close(self):
        self.context.close()
        assert not self.errors
        assert not self.outside


@pytest.fixture
def opened(chromium, specimen):
    page = Opened(chromium, specimen[1], has_touch=True)
    page.last()
    yield page
    page.close()


def told_apart(told):
    return {name: value for name, value in told.items() if name != "milliseconds"}


def agrees(specimen, told, **how):
    for pair in specimen[0].pairs(told, **how):
        found, wanted = map(np.asarray, pair)
        assert found.shape == wanted.shape
        assert np.abs(found - wanted).max() <= CLOSE


def handle(opened):
    """What is dragged: the plane or the picture; a slider where there is neither."""
    return opened.page.locator("canvas[tabindex='0'], input[type=range]").first


def test_it_begins_by_itself_and_agrees_with_jax(opened, specimen):
    agrees(specimen, opened.last())
    assert opened.page.locator(".live-figure").count() == 1


def test_the_mouse_moves_it(opened, specimen):
    before, count = opened.last(), opened.count()
    box = handle(opened).bounding_box()
    mouse, (x, y) = opened.page.mouse, (box["x"] + 0.6 * box["width"], box["y"] + box["height"] / 2)
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 0.2 * box["width"], y - 0.1 * box["height"], steps=4)
    mouse.up()
    after = opened.last(count)
    assert told_apart(after) != told_apart(before)
    if "t" not in specimen[0].figure.trait_names():
        agrees(specimen, after)


def test_a_finger_moves_it(opened, specimen):
    before, count = opened.last(), opened.count()
    box = handle(opened).bounding_box()
    finger = opened.context.new_cdp_session(opened.page)
    x, y = box["x"] + 0.55 * box["width"], box["y"] + 0.5 * box["height"]
    places = [
        (x + share * box["width"], y + share * box["height"] / 5) for share in (0, 0.1, 0.2, 0.3)
    ]
    for kind, (u, v) in zip(("touchStart", *["touchMove"] * 3), places, strict=True):
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": u, "y": v}]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert told_apart(opened.last(count)) != told_apart(before)


def test_the_keyboard_moves_it_and_says_so(opened, specimen):
    before, count = opened.last(), opened.count()
    said = opened.page.locator("[role=status]").inner_text()
    for _ in range(12):
        opened.page.keyboard.press("Tab")
        if opened.page.evaluate("document.activeElement.matches('canvas, input[type=range]')"):
            break
    for key in (" ", "ArrowRight", "ArrowRight", "ArrowUp"):
        opened.page.keyboard.press(key)
    after = opened.last(count)
    assert told_apart(after) != told_apart(before)
    assert opened.page.locator("[role=status]").inner_text() != said
    if "t" not in specimen[0].figure.trait_names():
        agrees(specimen, after)


def test_without_javascript_there_is_its_picture(chromium, specimen):
    page = Opened(chromium, specimen[1], java_script_enabled=False)
    picture = page.page.locator("noscript img, img")
    assert picture.count() == 1
    assert picture.get_attribute("alt") == specimen[0].figure._alt
    assert picture.bounding_box()["width"] > 100
    page.close()


def test_every_control_has_a_name(opened):
    unnamed = opened.page.evaluate(
        """() => [...document.querySelectorAll('input, button, [role=application], [role=img]')]
        .filter((e) => ![e.ariaLabel, e.textContent, e.labels?.[0]?.textContent]
          .some((text) => text?.trim()))
        .map((e) => e.outerHTML)"""
    )
    assert unnamed == []


def test_the_comparison_with_jax_can_fail(chromium, tmp_path):
    """A figure whose weights are not those of the oracle's model is caught."""
    specimen = SPECIMENS["explorer"]()
    wrong = bytearray(specimen.figure.weights)
    wrong[1::2] = bytes(b ^ 0x04 for b in wrong[1::2])  # doubles or halves every weight
    specimen.figure.weights = bytes(wrong)
    path = tmp_path / "wrong.html"
    path.write_text(page(specimen.figure, LOADER))
    opened = Opened(chromium, path.as_uri())
    with pytest.raises(AssertionError):
        agrees((specimen,), opened.last())
    opened.close()


@pytest.mark.parametrize("trouble", ["throw new Error('no');", "fetch('https://example.org/');"])
def test_page_errors_and_outside_requests_are_noticed(chromium, tmp_path, trouble):
    specimen = SPECIMENS["explorer"]()
    path = tmp_path / "bad.html"
    path.write_text(
        page(specimen.figure, LOADER).replace("<main>", f"<script>{trouble}</script><main>")
    )
    opened = Opened(chromium, path.as_uri())
    opened.last()
    with pytest.raises(AssertionError):
        opened.close()


def test_an_interpolation_follows_the_package(chromium, tmp_path):
    specimen = SPECIMENS["interpolation"]()
    path = tmp_path / "interpolation.html"
    path.write_text(page(specimen.figure, LOADER))
    opened = Opened(chromium, path.as_uri())
    opened.last()
    opened.page.get_by_role("radio", name="image 3").nth(1).check(force=True)
    opened.page.get_by_role("radio", name="arc").check()
    slider = opened.page.get_by_role("slider", name="t", exact=True)
    count = opened.count()
    slider.fill("0.37")
    told = opened.last(count)
    agrees((specimen,), told, t=0.37, ends=(0, 3), path="spherical")
    opened.page.get_by_role("checkbox").check()
    drawn = opened.last(count + 1)
    assert drawn["z"] != told["z"]
    opened.page.get_by_role("button", name="Play").click()
    opened.page.wait_for_function("told.length > 10")
    opened.page.get_by_role("button", name="Stop").click()
    opened.close()


def test_a_drawing_is_what_the_pen_drew(chromium, tmp_path):
    specimen = SPECIMENS["draw_digit"]()
    path = tmp_path / "draw.html"
    path.write_text(page(specimen.figure, LOADER))
    opened = Opened(chromium, path.as_uri())
    opened.last()
    opened.page.get_by_role("button", name="Clear").click()
    sheet = opened.page.locator("canvas[tabindex='0']")
    sheet.focus()
    for key in (" ", "ArrowRight", "ArrowRight", " ", "ArrowRight"):
        opened.page.keyboard.press(key)
    told = opened.last(2)
    lit = {divmod(i, 28) for i, pixel in enumerate(told["x"]) if pixel}
    assert lit == {(row, column) for row in (14, 15) for column in (14, 15, 16, 17)}
    agrees((specimen,), told)
    opened.close()


def test_weights_are_two_bytes_each():
    figure = SPECIMENS["explorer"]().figure
    dense = [layer["inputs"] * layer["outputs"] + layer["outputs"] for layer in figure.layers]
    assert len(figure.weights) == 2 * sum(dense)


def test_the_modules_name_no_host():
    for path in [*HERE.glob("*.js"), *HERE.glob("*.css"), ROOT / "book" / "_static" / "live.js"]:
        assert not re.search(r"https?://", path.read_text()), path.name
    assert {*SHARED} <= {path.name for path in HERE.glob("*.js")}


def test_a_figure_is_drawn_again_when_the_page_turns_dark(chromium, tmp_path):
    specimen = SPECIMENS["reparameterization"]()
    path = tmp_path / "dark.html"
    path.write_text(page(specimen.figure, LOADER))
    opened = Opened(chromium, path.as_uri())
    opened.last()
    read = "document.querySelector('canvas').toDataURL()"
    before, count = opened.page.evaluate(read), opened.count()
    opened.page.evaluate("document.body.style.color = '#eee'")
    opened.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    opened.last(count)
    assert opened.page.evaluate(read) != before
    opened.close()
