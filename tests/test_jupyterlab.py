"""The student's notebooks in a real JupyterLab, driven in Chromium as a student would."""

import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from browser import chromium_path
from exercise_runs import ROOT, read_submission, submissions
from playwright.sync_api import expect, sync_playwright

from vae_course.checks import EXERCISES, exercise

pytestmark = [pytest.mark.slow, pytest.mark.browser]
SECONDS = 120_000  # what a cell may take, in milliseconds: a kernel starts, JAX compiles


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab over a copy of the exercises: its address, with the token."""
    chromium_path()  # before the server, so that a missing browser is noticed first
    root = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "exercises", root / "exercises")
    blank = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell() for _ in range(3)])
    blank.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(blank, root / "exercises" / "live.ipynb")
    settings = root / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    # Cells out of sight are not in the page otherwise, and could not be found.
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    token = secrets.token_hex(16)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = dict(
        os.environ,
        JUPYTERLAB_SETTINGS_DIR=str(root / "settings"),
        JUPYTERLAB_WORKSPACES_DIR=str(root / "workspaces"),
        VAE_COURSE_BUDGET="smoke",
        VAE_COURSE_DATA="digits",
        VAE_COURSE_CACHE=str(root / "cache"),
    )
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--ServerApp.port={port}", f"--IdentityProvider.token={token}"]
    command += [f"--ServerApp.root_dir={root / 'exercises'}", "--LabApp.news_url=None"]
    with (root / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=root)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api?token={token}", server, root / "log")
        # A workspace for each, since one brings back the notebooks opened before as tabs.
        yield f"http://127.0.0.1:{port}/lab/workspaces/{{name}}/tree/{{name}}.ipynb?token={token}"
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(address, server, log):
    for _ in range(240):
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return json.load(answer)
        except OSError:
            time.sleep(0.5)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    page = chromium.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(SECONDS)
    yield page
    page.close()


def run_cell(page, index, source=None):
    """Write into a cell, if there is something to write, run it, and wait until it has run."""
    cell = page.locator(".jp-Notebook .jp-Cell").nth(index)
    prompt = cell.locator(".jp-InputPrompt")
    before = prompt.inner_text()
    for _ in range(12):  # JupyterLab drops a key that comes before it has its kernel, or asks
        if page.locator("dialog .jp-mod-accept").count():
            page.locator("dialog .jp-mod-accept").first.click()
        cell.locator(".cm-content").click()
        if source is not None:
            page.keyboard.press("Control+A")
            page.keyboard.insert_text(source.rstrip("\n"))
        page.keyboard.press("Shift+Enter")
        with contextlib.suppress(AssertionError):
            expect(prompt).not_to_have_text(before, timeout=5_000)
            break
    expect(prompt).not_to_have_text(before)
    expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=SECONDS)
    return cell


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_opens_runs_and_names_a_mistake(lab, page, name):
    spec = exercise(name)
    notebook = nbformat.read(ROOT / "exercises" / f"{spec.file}.ipynb", as_version=4)
    first = spec.tasks[0].name
    wrong = next(
        one
        for one in map(read_submission, submissions(spec.id, "wrong"))
        if list(one.cells) == [first]
    )
    page.goto(lab.format(name=spec.file))
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
    ids = [cell.id for cell in notebook.cells]
    task, check = (f"{kind}-{first}".replace("_", "-") for kind in ("task", "check"))
    for index, cell in enumerate(notebook.cells[: ids.index(check)]):
        if cell.cell_type == "code":
            ran = run_cell(page, index)
            said = ran.locator(".jp-RenderedText[data-mime-type*=stderr]").all_inner_texts()
            assert not said or (cell.id == task and "NotImplementedError" in said[0])
    untouched = run_cell(page, ids.index(check))
    assert "not started" in untouched.locator(".jp-OutputArea table").inner_text()
    run_cell(page, ids.index(task), wrong.cells[first])
    checked = run_cell(page, ids.index(check))
    table = checked.locator(".jp-OutputArea table")
    assert re.sub(r"\s+", " ", wrong.says) in re.sub(r"\s+", " ", table.inner_text())


EXPLORER = """\
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from vae_course import config, training
from vae_course.widgets import LatentExplorer

model = training.init_model(config.ModelConfig(hidden_sizes=(8,), latent_size=2), seed=0)
still = plt.subplots()[1]
explorer = LatentExplorer(model, jnp.zeros((3, 28, 28)), np.arange(3), picture=still, alt="None")
explorer"""


def test_the_explorer_and_python_tell_each_other(lab, page):
    page.goto(lab.format(name="live"))
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    shown = run_cell(page, 0, EXPLORER)
    figure = shown.locator(".live-figure")
    figure.wait_for()
    run_cell(page, 1, "explorer.z = [1.25, -0.5]")
    expect(figure.get_by_role("status")).to_have_text("z = (1.25, -0.50)", timeout=SECONDS)
    figure.get_by_role("slider", name="Latent 2").fill("2.5")
    expect(figure.get_by_role("status")).to_have_text("z = (1.25, 2.50)", timeout=SECONDS)
    told = run_cell(page, 2, "print([round(value, 2) for value in explorer.z])")
    expect(told.locator(".jp-OutputArea")).to_contain_text("[1.25, 2.5]", timeout=SECONDS)
    assert figure.locator("canvas").count() >= 2
    assert shown.locator("img").count() == 0  # the still picture stays away where the figure lives
