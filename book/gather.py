"""Gather the built book's notebooks in a folder, with what Binder needs to run them.

The folder becomes the branch that the pages' Colab and Binder buttons look at.
"""

import shutil
import sys
from pathlib import Path

from vae_course import links

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "_build" / "html" / "_sources"


def gather(sources: Path, target: Path) -> int:
    """Copy every notebook below ``sources`` to the same place below ``target``; how many."""
    paths = sorted(sources.rglob("*.ipynb"))
    for path in paths:
        copy = target / path.relative_to(sources)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    binder = target / ".binder"
    binder.mkdir(parents=True, exist_ok=True)
    package = f"vae-course[exercises,live] @ git+{links.repository()}\n"
    (binder / "requirements.txt").write_text(package, encoding="utf-8")
    (binder / "runtime.txt").write_text("python-3.12\n", encoding="utf-8")
    return len(paths)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python book/gather.py FOLDER")
    found = gather(SOURCES, Path(sys.argv[1]))
    if not found:
        sys.exit(f"No notebooks in {SOURCES}: build the book first, with make book.")
    print(f"{found} notebooks in {sys.argv[1]}")
