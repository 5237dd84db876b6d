"""The addresses of the course, from one place."""

import tomllib
from pathlib import Path

from vae_course import links

URLS = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]["urls"]


def test_addresses_are_those_of_the_project_file():
    assert links.repository() == URLS["Repository"]
    assert links.book_page("loss") == f"{URLS['Documentation']}/book/loss.html"
    assert links.book_page("loss#sum-or-mean").endswith("/book/loss.html#sum-or-mean")


def test_colab_opens_a_notebook_of_the_repository():
    name = URLS["Repository"].removeprefix("https://github.com/")
    assert links.colab("exercises/a.ipynb") == (
        f"https://colab.research.google.com/github/{name}/blob/main/exercises/a.ipynb"
    )
