"""What the book needs of Sphinx beyond Jupyter Book.

1. Stored outputs are kept under a hash of everything that they depend on besides the page, so
   a changed package, lock file or data set never shows an old number.
2. Every executed page says how long it took and which images it saw; if those are the small
   digits, a banner says how to get MNIST.
3. The API reference shows a NamedTuple's fields once, in the text of its class.
"""

import hashlib
from collections import _tuplegetter
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

from vae_course.data import DIGITS, load_images

ROOT = Path(__file__).resolve().parents[2]
STAND_IN = (
    "This copy was executed on scikit-learn's 1,797 small digits, which stand in for MNIST: "
    "set VAE_COURSE_DATA to a folder with MNIST and build again to see the real thing."
)


def inputs_hash(root: Path, data: str) -> str:
    """A hash of the package, the lock file, the figure style, the data, what pages tabulate."""
    files = [*sorted((root / "vae_course").rglob("*.py")), root / "requirements.lock"]
    files += sorted((root / "benchmarks").glob("*.json"))
    digest = hashlib.sha256(data.encode())
    for path in [*files, root / "book" / "matplotlibrc"]:
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def key_the_cache(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(ROOT / "book" / "_static"))
    images = load_images()
    config.course_data = repr(images)
    if images.name == DIGITS:
        config.html_theme_options["announcement"] = STAND_IN
    folder = ROOT / "_build" / "executed" / inputs_hash(ROOT, images.sha256)
    # This value belongs to the environment: another folder makes Sphinx read every page again.
    config.nb_execution_cache_path = str(folder)


def say_how_long(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    metadata = getattr(app.env, "nb_metadata", {}).get(pagename, {})
    seconds = (metadata.get("exec_data") or {}).get("runtime")
    if seconds is None or "body" not in context:
        return
    context["body"] += (
        '<p class="executed-note"><em>This page ran in '
        f"{seconds:.0f} seconds, on {app.config.course_data}.</em></p>"
    )


def skip_fields(app: Sphinx, what: str, name: str, obj, skip: bool, options) -> bool | None:
    """Leave out the fields of a NamedTuple: their class describes them."""
    return True if isinstance(obj, _tuplegetter) else None


def setup(app: Sphinx) -> dict:
    app.add_config_value("course_data", "", "")
    app.add_css_file("course.css")
    app.connect("config-inited", key_the_cache)
    app.connect("html-page-context", say_how_long)
    app.connect("autodoc-skip-member", skip_fields)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
