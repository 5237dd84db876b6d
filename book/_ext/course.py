"""What the book needs of Sphinx beyond Jupyter Book.

1. Stored outputs are kept under a hash of everything that they depend on besides the page, so
   a changed package, lock file or data set never shows an old number.
2. Every executed page says how long it took and which images it saw; if those are the small
   digits, a banner says how to get MNIST.
3. The API reference shows a NamedTuple's fields once, in the text of its class.
4. Every executed page can be downloaded as a notebook, and opened in Colab and on Binder.
5. No page asks another host for anything: sphinx-thebe, which would, is taken out.
"""

import hashlib
import re
from collections import _tuplegetter
from pathlib import Path

from PIL import Image
from plain_notebooks import plain_notebook
from sphinx.application import Sphinx
from sphinx.config import Config

from vae_course import links
from vae_course.data import DIGITS, load_images

ROOT = Path(__file__).resolve().parents[2]
SUFFIXES = (".py", ".js", ".css")
# The icons are a font and also a script of 1.5 MB: the font is enough.
ICON_SCRIPT = re.compile(r'<script defer src="[^"]*/fontawesome\.js[^"]*"></script>')
MENDED = {
    # The arrows that unfold a part of the contents have no name for those who listen.
    '<summary><span class="toctree-toggle"': (
        '<summary aria-label="Pages of this part"><span class="toctree-toggle"'
    ),
    # A list, so it says, without items.
    '<div role="list" class="citation-list">': '<div class="citation-list">',
}
LARGE = 20_000  # bytes of a picture
STAND_IN = (
    "This copy was executed on scikit-learn's 1,797 small digits, which stand in for MNIST: "
    "set VAE_COURSE_DATA to a folder with MNIST and build again to see the real thing."
)


def inputs_hash(root: Path, data: str) -> str:
    """A hash of the package, the lock file, the figure style, the data, what pages tabulate."""
    sources = (root / "vae_course").rglob("*.*")
    files = sorted(path for path in sources if path.suffix in SUFFIXES)
    files += [*sorted((root / "benchmarks").glob("*.json")), root / "requirements.lock"]
    digest = hashlib.sha256(data.encode())
    for path in [*files, root / "book" / "matplotlibrc"]:
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def key_the_cache(app: Sphinx, config: Config) -> None:
    images = load_images()
    config.course_data = repr(images)
    if images.name == DIGITS:
        config.html_theme_options["announcement"] = STAND_IN
    folder = ROOT / "_build" / "executed" / inputs_hash(ROOT, images.sha256)
    # This value belongs to the environment: another folder makes Sphinx read every page again.
    config.nb_execution_cache_path = str(folder)


def set_up_pages(app: Sphinx, config: Config) -> None:
    """Files of our own, and what the theme's buttons need to know."""
    config.html_static_path.append(str(ROOT / "book" / "_static"))
    config.html_theme_options |= {
        "repository_url": links.repository(),
        "use_issues_button": True,
        "use_repository_button": True,
    }


def take_out_thebe(app: Sphinx, config: Config) -> None:
    """It names another host on every page, and throws an error there."""
    for name, listeners in app.events.listeners.items():
        kept = [one for one in listeners if not one.handler.__module__.startswith("sphinx_thebe")]
        app.events.listeners[name] = kept
    app.registry.css_files = [file for file in app.registry.css_files if "thebe" not in file[0]]


def offer_notebook(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """A chapter's notebook beside its source, and buttons that open it elsewhere."""
    if not doctree:
        return
    source = Path(app.env.doc2path(pagename, base=True))
    executed = app.env.nb_metadata.get(pagename, {}).get("exec_data")
    if source.suffix == ".md" and not executed:
        return
    path, branch = f"{pagename}.ipynb", links.NOTEBOOKS
    if source.suffix == ".md":
        target = Path(app.outdir) / "_sources" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(plain_notebook(source, doctree, app.env), encoding="utf-8")
        context["ipynb_source"] = path
    places = {"Colab": links.colab(path, branch=branch), "Binder": links.binder(path)}
    buttons = [
        {
            "type": "link",
            "url": url,
            "text": place,
            "tooltip": f"Open this page as a notebook in {place}",
            "icon": f"_static/images/logo_{place.lower()}.{'svg' if place == 'Binder' else 'png'}",
            "label": f"launch-{place.lower()}-button",
        }
        for place, url in places.items()
    ]
    context["header_buttons"].append(
        {
            "type": "group",
            "tooltip": "Open as a notebook",
            "icon": "fas fa-rocket",
            "buttons": buttons,
            "label": "launch-buttons",
        }
    )


def use_one_icon_font(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree
) -> None:
    """Brands have a font of their own, 117 kB for one icon: show a fork in its place."""
    for group in context.get("header_buttons", []):
        for button in (group, *group.get("buttons", [])):
            if button.get("icon", "").startswith("fab "):
                button["icon"] = "fas fa-code-branch"


def mend_pages(app: Sphinx, exception: Exception | None) -> None:
    """What the theme's templates leave to be wished for, in the pages that they made."""
    if exception or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        mended = ICON_SCRIPT.sub("", text)
        for old, new in MENDED.items():
            mended = mended.replace(old, new)
        if mended != text:
            page.write_text(mended, encoding="utf-8")


def shrink_pictures(app: Sphinx, exception: Exception | None) -> None:
    """Large figures with 256 colours of their own: half the bytes, and no eye tells them apart."""
    if exception:
        return
    for path in (Path(app.outdir) / "_images").glob("*.png"):
        if path.stat().st_size > LARGE:
            with Image.open(path) as picture:
                small = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
            small.save(path, optimize=True)


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
    app.connect("config-inited", set_up_pages)
    app.connect("config-inited", take_out_thebe)
    app.connect("html-page-context", say_how_long)
    app.connect("html-page-context", offer_notebook)
    app.connect("html-page-context", use_one_icon_font, priority=502)
    app.connect("build-finished", mend_pages)
    app.connect("build-finished", shrink_pictures)
    app.connect("autodoc-skip-member", skip_fields)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
