"""Measure what the course promises: speed, memory, start-up, and quality for its time.

``make bench`` runs it all on MNIST, prints a table and writes ``benchmarks/results.json``.
Contenders share one process and take turns; medians are compared as ratios, because machines
are noisy. ``--only NAME`` runs one part, ``--quick`` leaves the long training out.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np
from rich.console import Console
from rich.table import Table

from vae_course import data, evaluation, training
from vae_course.config import preset
from vae_course.image_sources import MNIST_HUB_ID

RESULTS = Path(__file__).with_name("results.json")
ROUNDS = 7
STEPS_PER_ROUND = 200
Row = tuple[str, float, str, str]  # what, measured, unit, what is asked for


def speed(images: data.ImageData) -> list[Row]:
    """Steps a second on the tutorial's network, against the tutorial's loop and raw JAX."""
    from contenders import CONTENDERS

    rows: list[Row] = []
    for batch_size in (64, 128):
        few = images.train_images[: STEPS_PER_ROUND * batch_size]
        runs = {name: make(few, batch_size) for name, make in CONTENDERS.items()}
        medians = _interleaved(runs)
        for name, seconds in medians.items():
            rows.append((f"{name}, batch {batch_size}", STEPS_PER_ROUND / seconds, "steps/s", ""))
        ours = medians["course"]
        rows.append(
            (f"course : tutorial, batch {batch_size}", medians["tutorial"] / ours, "×", "≥ 1.5")
        )
        rows.append(
            (f"course : raw JAX, batch {batch_size}", medians["raw JAX"] / ours, "×", "≥ 0.95")
        )
    return rows


def memory(images: data.ImageData) -> list[Row]:
    """Peak memory of a process that loads MNIST and trains for two epochs."""
    del images
    script = """
import dataclasses, resource, jax
from vae_course import config, data, training
shape, train, _ = config.preset("quick")
model = training.init_model(shape, seed=0)
train = dataclasses.replace(train, epochs=2)
training.fit(model, data.load_images(), train, key=jax.random.key(0), progress=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    kilobytes = int(_python(script))
    return [("peak memory of training", kilobytes / 1e6, "GB", "< 0.9")]


def start(images: data.ImageData) -> list[Row]:
    """Seconds until images are there, and until the package is imported."""
    del images
    load = "import time; from vae_course import data; t = time.perf_counter(); "
    timed = load + "data.load_images(); print(time.perf_counter() - t)"
    with tempfile.TemporaryDirectory() as cache:
        cold = float(_python(timed, VAE_COURSE_CACHE=cache))
        warm = statistics.median(float(_python(timed, VAE_COURSE_CACHE=cache)) for _ in range(5))
    offline = load + (
        "data.load_cached = lambda source: None; import warnings; warnings.simplefilter('ignore'); "
        "t = time.perf_counter(); data._default_source(); print(time.perf_counter() - t)"
    )
    bare, ours = ([_start_up(code) for _ in range(9)] for code in ("pass", "import vae_course"))
    rows = [
        ("MNIST decoded, empty cache", cold, "s", "≤ 6"),
        ("MNIST from the warm cache", warm, "s", "≤ 0.2"),
        ("import vae_course", statistics.median(ours) - statistics.median(bare), "s", "≤ 0.2"),
    ]
    from vae_course.image_sources import hub_reachable

    if not hub_reachable():
        rows.append((f"no network noticed ({MNIST_HUB_ID})", float(_python(offline)), "s", "≤ 3"))
    return rows


def quality(images: data.ImageData) -> list[Row]:
    """The preset `strong`: held-out −ELBO on the whole test set, and log-likelihood."""
    shape, train, _ = preset("strong")
    model = training.init_model(shape, seed=0)
    started = time.perf_counter()
    training.fit(model, images, train, key=jax.random.key(0))
    minutes = (time.perf_counter() - started) / 60
    pixel_key, terms_key, bound_key = jax.random.split(jax.random.key(1), 3)
    x = data.binarize(images.test_images, "stochastic", key=pixel_key)
    result = evaluation.evaluate(model, x, key=terms_key)
    chosen = x[np.random.default_rng(0).permutation(len(x))[:1000]]
    distortion, rate = evaluation.terms_per_image(model, chosen, key=terms_key)
    likelihood = evaluation.log_likelihood(model, chosen, samples=5000, key=bound_key)
    gain = likelihood + distortion + rate
    error = [float(v.std(ddof=1) / len(v) ** 0.5) for v in (likelihood, gain)]
    return [
        ("training of `strong`, seed 0", minutes, "min", "≤ 4"),
        ("held-out −ELBO, all test images", result.negative_elbo, "nats", "≤ 92"),
        ("its standard error", result.standard_error, "nats", ""),
        ("distortion", result.distortion, "nats", ""),
        ("rate", result.rate, "nats", ""),
        ("log-likelihood, 1,000 random test images, 5,000 samples", likelihood.mean(), "nats", ""),
        ("its standard error", error[0], "nats", ""),
        ("log-likelihood − ELBO, paired", gain.mean(), "nats", ""),
        ("its standard error", error[1], "nats", ""),
    ]


PARTS: dict[str, Callable[[data.ImageData], list[Row]]] = {
    "speed": speed,
    "memory": memory,
    "start": start,
    "quality": quality,
}


def _interleaved(runs: dict[str, Callable[[], object]]) -> dict[str, float]:
    for run in runs.values():
        run()  # compile
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(ROUNDS):
        names = list(runs) if number % 2 else list(reversed(runs))
        for name in names:
            started = time.perf_counter()
            runs[name]()
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(times) for name, times in seconds.items()}


def _python(code: str, **environment: str) -> str:
    command = [sys.executable, "-c", code]
    variables = os.environ | environment
    return subprocess.run(command, env=variables, capture_output=True, check=True, text=True).stdout


def _start_up(code: str) -> float:
    started = time.perf_counter()
    _python(code)
    return time.perf_counter() - started


def _machine() -> dict[str, Any]:
    packages = ("jax", "jaxlib", "brainstate", "braintools", "optax", "numpy", "datasets")
    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
        **{name: version(name) for name in packages},
    }


def main() -> None:
    """Run the parts that are asked for; print a table; write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS, help="run one part")
    parser.add_argument("--quick", action="store_true", help="leave the long training out")
    arguments = parser.parse_args()
    images = data.load_images()
    if images.name != "mnist":
        sys.exit(f"The benchmark needs MNIST, and this is {images.name}: set VAE_COURSE_DATA.")
    names = [arguments.only] if arguments.only else list(PARTS)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    table = Table("what", "measured", "asked for", title=f"On {images.name}")
    for name in names:
        if name == "quality" and arguments.quick:
            continue
        rows = PARTS[name](images)
        results[name] = {"machine": _machine(), "rows": [list(row) for row in rows]}
        for what, measured, unit, wanted in rows:
            table.add_row(what, f"{measured:,.3g} {unit}", wanted)
        table.add_section()
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    Console().print(table)


if __name__ == "__main__":
    main()
