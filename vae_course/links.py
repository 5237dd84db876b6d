"""Where the course is published: addresses of the book, the repository, Colab.

Both come from the package's metadata, so they are set in one place, pyproject.toml.
"""

import functools
import importlib.metadata

__all__ = ["NOTEBOOKS", "binder", "book_page", "colab", "repository"]

BRANCH = "main"
NOTEBOOKS = "notebooks"  # the branch to which the book's chapters are published as notebooks


def book_page(where: str) -> str:
    """The address of a page of the book.

    Args:
        where: its name, with an anchor if need be: ``"loss#sec-loss-terms"``.
    """
    page, _, anchor = where.partition("#")
    return f"{_urls()['Documentation']}/book/{page}.html" + (f"#{anchor}" if anchor else "")


def repository() -> str:
    """The address of the repository."""
    return _urls()["Repository"]


def colab(path: str, *, branch: str = BRANCH) -> str:
    """The address that opens a notebook of the repository in Colab.

    Args:
        path: from the repository's root, such as ``"exercises/01_beta.ipynb"``.
        branch: where in the repository it is.
    """
    return f"https://colab.research.google.com/github/{_name()}/blob/{branch}/{path}"


def binder(path: str) -> str:
    """The address that opens a published notebook on a machine that Binder lends.

    Args:
        path: from the root of the branch `NOTEBOOKS`, such as ``"book/loss.ipynb"``.
    """
    return f"https://mybinder.org/v2/gh/{_name()}/{NOTEBOOKS}?labpath={path}"


def _name() -> str:
    return repository().removeprefix("https://github.com/")


@functools.cache
def _urls() -> dict[str, str]:
    lines = importlib.metadata.metadata("vae-course").get_all("Project-URL") or []
    return dict(line.split(", ", 1) for line in lines)
