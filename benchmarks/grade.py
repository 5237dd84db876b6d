"""What grading costs, and whether it is fair: measured on this machine.

Each part prints a table and is kept in ``benchmarks/grading.json``. ``make bench-grade`` runs all,
at the smoke budget and on the digits; ``--only`` one of

- ``overhead``: each solution against a bare nbclient run, interleaved;
- ``class``: 100 light notebooks, two at a time, against as many bare runs;
- ``memory``: the most that the command's own process holds, over all six solutions;
- ``seeds``: each solution, asked the questions of 20 secrets;
- ``wrong``: every wrong submission, and the untouched exercises.
"""

import argparse
import concurrent.futures
import contextlib
import functools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from exercise_runs import read_submission, submissions
from grading_runs import Machine, job, solution, untouched
from rich.console import Console
from rich.table import Table

from vae_course.checks import EXERCISES, exercise
from vae_course.checks.specs import BY_A_PERSON, PASSED, Context, run
from vae_course.execution import execute
from vae_course.grading.process import Guests
from vae_course.grading.remote import RemoteStudent
from vae_course.grading.sandbox import Limits
from vae_course.image_cache import write_atomically

RESULTS = Path(__file__).with_name("grading.json")
LIMITS = Limits(seconds=1800)  # whatever else runs here
LIGHT, ROUNDS, SECRETS = 100, 3, 20
out = Console()


def overhead(machine: Machine) -> list[dict[str, Any]]:
    """Seconds for each solution: in the grader, and bare."""
    rows = []
    for name in EXERCISES:
        cells = solution(name)
        ways = [
            functools.partial(_full_marks, machine, name, cells),
            functools.partial(_bare, cells),
        ]
        pairs = [[_seconds(way) for way in ways] for _ in range(ROUNDS)]
        graded, bare = (statistics.median(times) for times in zip(*pairs, strict=True))
        over = {"exercise": name, "graded_s": graded, "bare_s": bare}
        rows.append(over | {"allowed_s": 1.3 * bare + 3, "ratio": graded / bare})
    return rows


def class_of_light_ones(_: Machine) -> list[dict[str, Any]]:
    """Seconds for `LIGHT` notebooks two at a time: the command, and bare runs."""
    cells = ["import jax.numpy as jnp", "kl_in_bits = 3.4", "predicted_ratio = 2.0"]
    graded, peak = _command([("00-warmup", [f"# {n}", *cells]) for n in range(LIGHT)])
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        bare = _seconds(lambda: list(pool.map(_bare, [cells] * LIGHT)))
    row = {"notebooks": LIGHT, "graded_s": graded, "bare_s": bare, "ratio": graded / bare}
    return [row | {"grader_mb": peak}]


def memory(machine: Machine) -> list[dict[str, Any]]:
    """The most memory of the command itself, without the sandboxes, over all six solutions."""
    seconds, peak = _command([(name, solution(name)) for name in EXERCISES])
    images = machine.supplies.images.name
    return [{"images": images, "notebooks": len(EXERCISES), "s": seconds, "grader_mb": peak}]


def seeds(machine: Machine) -> list[dict[str, Any]]:
    """How often each solution earns full marks, over the questions of 20 secrets.

    It is run once, for its own seeds are fixed; over 20 seeds of training see `calibrate`.
    """
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(functools.partial(_questioned, machine), EXERCISES))


def _questioned(machine: Machine, name: str) -> dict[str, Any]:
    lost = []
    environment = {"VAE_COURSE_DATA": machine.supplies.source, "VAE_COURSE_BUDGET": "smoke"}
    with Guests().start(machine.place, LIMITS, environment, set()) as guest:
        cells = tuple(("", text) for text in solution(name))
        guest.channel.send({"cells": cells, "limits": LIMITS.for_the_kernel()})
        while guest.channel.receive() != ("ready",):
            pass
        student = RemoteStudent(guest.channel)
        for secret in range(SECRETS):
            for number, task in enumerate(exercise(name).tasks):
                rng = np.random.default_rng([secret, number])
                found = run(task, student, Context(rng, "smoke", machine.supplies.images))
                if found.status not in (PASSED, BY_A_PERSON):
                    lost.append((secret, task.name))
    full = SECRETS - len({secret for secret, _ in lost})
    return {"exercise": name, "full_marks": full, "of": SECRETS, "lost": [t for _, t in lost]}


def wrong(machine: Machine) -> list[dict[str, Any]]:
    """Whether each wrong submission loses what it should, and an untouched one earns nothing."""
    rows = []
    for name in EXERCISES:
        named = [(path.stem, read_submission(path)) for path in submissions(name, "wrong")]
        orders = [_order(name, solution(name, one.cells)) for _, one in named]
        surprises = []
        for (stem, one), result in zip(named, _graded(machine, orders), strict=True):
            lost = [t.task for t in result.tasks if t.status in ("wrong", "not started")]
            if lost != list(one.loses):
                surprises.append(f"{stem}: {lost}")
        (blank,) = _graded(machine, [_order(name, untouched(name))])
        row = {"exercise": name, "wrong": len(named), "as_intended": len(named) - len(surprises)}
        rows.append(row | {"untouched_points": blank.points, "surprises": surprises})
    return rows


PARTS: dict[str, Callable[[Machine], list[dict[str, Any]]]] = {
    "overhead": overhead,
    "class": class_of_light_ones,
    "memory": memory,
    "seeds": seeds,
    "wrong": wrong,
}


def main() -> None:
    """Run the parts asked for; print and keep what they measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    machine = Machine()
    try:
        for name in parser.parse_args().only:
            kept[name] = PARTS[name](machine)
            _print(name, kept[name])
            write_atomically(RESULTS, (json.dumps(kept, indent=1, sort_keys=True) + "\n").encode())
            RESULTS.chmod(0o644)
    finally:
        machine.place.remove()


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _command(submissions: Sequence[tuple[str, Sequence[str]]]) -> tuple[float, float]:
    """Grade with the command, two at a time: seconds, and the most MB of its own process."""
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, cells) in enumerate(submissions):
            notebook = _notebook(cells)
            notebook.metadata["vae_course"] = {"exercise": name}
            path = Path(folder, "in", f"student {number}", "homework.ipynb")
            path.parent.mkdir(parents=True)
            nbformat.write(notebook, path)
        command = [str(Path(sys.executable).parent / "vae-course"), "grade", f"{folder}/in"]
        command += ["--out", f"{folder}/out", "--jobs", "2"]
        started, peak = time.perf_counter(), 0.0
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                peak = max(peak, _most_held(process.pid))
                time.sleep(0.1)
        assert process.returncode == 0, process.returncode
        return time.perf_counter() - started, peak


def _most_held(pid: int) -> float:
    """The kernel's high-water mark of a process's memory, in MB."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def _order(name: str, cells: Sequence[str], **changes: Any) -> Any:
    return job(cells, exercise=name, limits=LIMITS, **changes)


def _graded(machine: Machine, orders: Sequence[Any]) -> list[Any]:
    """Two at a time, each on a processor of its own."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(machine.grade, orders))


def _full_marks(machine: Machine, name: str, cells: Sequence[str]) -> None:
    result = machine.grade(_order(name, cells))
    assert result.points == result.max_points, result.tasks


def _notebook(cells: Sequence[str]) -> Any:
    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_code_cell(text) for text in cells]
    return made


def _bare(cells: Sequence[str]) -> None:
    """As nbclient runs it, with nothing kept from before."""
    with tempfile.TemporaryDirectory() as folder:
        execute(_notebook(cells), Path(folder), cache=Path(folder))


def _print(title: str, rows: Sequence[dict[str, Any]]) -> None:
    table = Table(*rows[0], title=title)
    for row in rows:
        shown = (f"{v:.2f}" if isinstance(v, float) else str(v) for v in row.values())
        table.add_row(*shown)
    out.print(table)


if __name__ == "__main__":
    main()
