"""Build the book, open it, and build again whenever a file of it is saved; ``make serve``."""

import argparse
from pathlib import Path

from build import ROOT, main
from livereload import Server
from tornado.log import enable_pretty_logging

WATCHED = ("book/*.md", "book/_ext/*.py", "book/_static/*", "vae_course/**/*.*", "_config.yml")
SOURCES = (".md", ".py", ".js", ".css", ".yml", ".bib", ".ipynb")
FIRST = "book/index.html"


def serve(port: int, *, browser: bool) -> None:
    """Serve ``_build/html`` on this machine until interrupted.

    A page that is open in a browser reloads once the book is built again.
    """
    main()
    server = Server()
    for pattern in WATCHED:
        server.watch(str(ROOT / pattern), main, ignore=_is_made)
    server.serve(
        root=str(ROOT / "_build" / "html"),
        port=port,
        host="127.0.0.1",
        open_url_delay=1 if browser else None,
        default_filename=FIRST,
    )


def _is_made(path: str) -> bool:
    return Path(path).suffix not in SOURCES


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="8000 unless told")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    options = parser.parse_args()
    enable_pretty_logging()
    serve(options.port, browser=not options.no_browser)
