"""How far the exercises' thresholds lie from what right answers give, over many seeds.

``make calibrate`` trains the reference of each exercise with 20 seeds on MNIST and on the
digits at the full budget, and on the digits at the smoke budget, and writes
``benchmarks/calibration.json``: every value, its limit, and how often it would have raised a
false alarm. It takes hours, keeps each seed as it comes, and goes on where it stopped.
"""

import argparse
import hashlib
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
from rich.console import Console
from rich.table import Table

from vae_course import data
from vae_course.image_cache import cache_folder, write_atomically
from vae_course.image_sources import MNIST_HUB_ID

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "calibration.json"
EXERCISES = ("beta", "latent_size", "convolutional", "conditional", "disentangled")
# What a text says of the curves and no check requires; students see the full budget.
CLAIMS = (
    "active latents of the largest, beyond the linear",
    "held-out nats that beta 2 wins on few images",
    "variety lost at the ends",
)
SETTINGS = (("digits", "smoke"), ("digits", "full"), ("mnist", "full"))
out = Console()


def main() -> int:
    """Run what is missing; print the table; 1 if there was a false alarm."""
    options = _options()
    # The programs of 20 seeds are the same: JAX compiles them once.
    jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "compiled"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in options.only or EXERCISES:
        module = importlib.import_module(f"calibration_{name}")
        for source, budget in getattr(module, "SETTINGS", SETTINGS):
            images = data.load_images(options.mnist if source == "mnist" else source)
            _run_seeds(results, module, name, images, budget, options.seeds)
    rows = [row for key, entry in results.items() for row in _rows(key, entry)]
    _print(rows)
    return int(any(row["false_alarms"] for row in rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--only", nargs="*", choices=EXERCISES, help="these exercises only")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--mnist", default=None, help=f"folder or hub id; {MNIST_HUB_ID}")
    return parser.parse_args()


def _run_seeds(
    results: dict[str, Any], module: Any, name: str, images: data.ImageData, budget: str, seeds: int
) -> None:
    key = f"{name} {images.name} {budget}"
    source = hashlib.sha256(Path(module.__file__).read_bytes()).hexdigest()[:12]
    entry = results.setdefault(key, {})
    if entry.get("source") != source:  # another reference: its old values say nothing
        entry.clear()
        entry.update(source=source, seeds={})
    claims = () if budget == "full" else CLAIMS
    entry["limits"] = {q: limit for q, limit in module.THRESHOLDS.items() if q not in claims}
    for seed in range(seeds):
        if str(seed) in entry["seeds"]:
            continue
        started = time.perf_counter()
        entry["seeds"][str(seed)] = module.seed_run(seed, images, budget)
        seconds = time.perf_counter() - started
        out.print(f"{key}: seed {seed} in {seconds:.0f} s", highlight=False)
        text = json.dumps(results, indent=1, sort_keys=True) + "\n"
        write_atomically(RESULTS, text.encode())
        RESULTS.chmod(0o644)


def _rows(key: str, entry: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for quantity, (sign, limit) in entry["limits"].items():
        values = [run[quantity] for run in entry["seeds"].values() if quantity in run]
        if not values:
            continue
        passed = np.greater(values, limit) if sign == ">" else np.less(values, limit)
        rows.append(
            {
                "setting": key,
                "quantity": quantity,
                "limit": f"{sign} {limit:g}",
                "least": min(values),
                "mean": float(np.mean(values)),
                "most": max(values),
                "false_alarms": int((~passed).sum()),
                "seeds": len(values),
            }
        )
    return rows


def _print(rows: list[dict[str, Any]]) -> None:
    table = Table("setting", "quantity", "limit", "least", "mean", "most", "false alarms")
    for row in rows:
        numbers = (f"{row[column]:.3g}" for column in ("least", "mean", "most"))
        alarms = f"{row['false_alarms']} of {row['seeds']}"
        table.add_row(row["setting"], row["quantity"], row["limit"], *numbers, alarms)
    out.print(table)


if __name__ == "__main__":
    sys.exit(main())
