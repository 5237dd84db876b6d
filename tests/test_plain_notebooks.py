"""Chapters as notebooks: no MyST is left in them, and what gathers them for publishing."""

import re
import shutil
from types import SimpleNamespace

import gather
import nbclient
import nbformat
import plain_notebooks
import pytest
import yaml
from docutils import nodes
from test_book import EXECUTED, HTML, ROOT

from vae_course import links

CHAPTER = """\
---
kernelspec: {display_name: Python 3, language: python, name: python3}
---

(sec-start)=
# A chapter

{glue:text}`one:.1f` of {numref}`fig-a`, {eq}`eq-b`, {cite}`x2020, y2021`.
See [the loss](loss.md#sec-loss-terms), [above](sec-start), [a task](../exercises/01_beta.ipynb).

$$
a = b
$$ (eq-b)

:::{admonition} Try it
:class: tip
First.

Then.
:::

```{literalinclude} ../vae_course/links.py
:pyobject: repository
```

```{code-cell} python
---
mystnb:
  figure: {caption: "What it shows.", name: fig-a}
---
from myst_nb import glue
glue("one", 1.04, display=False)
```
"""


def environment():
    """As much of Sphinx's environment as numbers come from."""
    labels = {"fig-a": ("book/a", "fig-a"), "sec-start": ("book/a", "sec-start")}
    domains = {
        "std": SimpleNamespace(anonlabels=labels),
        "math": SimpleNamespace(get_equation_number_for={"eq-b": 7}.__getitem__),
    }
    numbers = {"book/a": {"figure": {"fig-a": (3,)}}}
    return SimpleNamespace(get_domain=domains.__getitem__, toc_fignumbers=numbers)


def doctree(*values):
    root = nodes.container()
    root += [nodes.inline(text=value, classes=["pasted-text"]) for value in values]
    return root


def converted(tmp_path, text=CHAPTER, values=("1.0",)):
    folder = tmp_path / "book"
    folder.mkdir(exist_ok=True)
    (tmp_path / "vae_course").mkdir(exist_ok=True)
    shutil.copy(ROOT / "vae_course" / "links.py", tmp_path / "vae_course")
    (folder / "a.md").write_text(text)
    made = plain_notebooks.plain_notebook(folder / "a.md", doctree(*values), environment())
    return nbformat.reads(made, as_version=4)


def test_a_chapter_is_said_in_plain_markdown(tmp_path):
    install, text, code, caption = converted(tmp_path).cells
    assert f"vae-course[live] @ git+{links.repository()}" in install.source
    bibliography = links.book_page("bibliography")
    assert "# A chapter\n" in text.source
    assert f"1.0 of Fig. 3, (7), [[x2020, y2021]]({bibliography})." in text.source
    assert f"[the loss]({links.book_page('loss#sec-loss-terms')})" in text.source
    assert f"[above]({links.book_page('a#sec-start')})" in text.source
    assert f"[a task]({links.colab('exercises/01_beta.ipynb')})" in text.source
    assert "a = b\n\\tag{7} $$" in text.source
    assert "> **Try it**\n>\n> First.\n>\n> Then.\n" in text.source
    assert "```python\ndef repository() -> str:" in text.source
    assert "sec-start)=" not in text.source
    assert "myst_nb" not in code.source
    assert caption.source == "*Fig. 3. What it shows.*"
    exec(compile(code.source, "cell", "exec"), {})


@pytest.mark.parametrize("trouble", ["{unheard}`x`", "```{mystery} x\ny\n```"])
def test_what_has_no_plain_words_is_refused(tmp_path, trouble):
    with pytest.raises(ValueError, match="No plain words"):
        converted(tmp_path, text=f"# A\n\n{trouble}\n", values=())


def test_numbers_that_no_text_asked_for_are_refused(tmp_path):
    with pytest.raises(ValueError, match="more numbers"):
        converted(tmp_path, values=("1.0", "2.0"))


def test_the_notebooks_are_gathered_with_what_binder_needs(tmp_path):
    source, target = tmp_path / "from", tmp_path / "to"
    (source / "book").mkdir(parents=True)
    for name in ("a.ipynb", "a.md"):
        (source / "book" / name).write_text("{}")
    assert gather.gather(source, target) == 1
    files = sorted(str(p.relative_to(target)) for p in target.rglob("*") if p.is_file())
    assert files == [".binder/requirements.txt", ".binder/runtime.txt", "book/a.ipynb"]
    assert links.repository() in (target / ".binder" / "requirements.txt").read_text()


def test_the_addresses_are_the_same_wherever_they_must_be_repeated():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["repository-code"] == links.repository()
    assert links.book_page("index").startswith(citation["url"])


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=str)
def test_a_workflow_asks_for_targets_that_exist(path):
    text = path.read_text()
    assert yaml.safe_load(text)["jobs"]
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"\bmake (?:-C course )?([a-z-]+)", text):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for script in re.findall(r"\bbook/\w+\.py|\.ci/run", text):
        assert (ROOT / script).exists()


@pytest.mark.built
@pytest.mark.parametrize("name", EXECUTED)
def test_a_built_notebook_holds_no_myst(name):
    notebook = nbformat.read(HTML / "_sources" / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    prose = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    assert not re.search(r"\{[a-z:-]+\}`|^[`:]{3}\{|^\([\w-]+\)=$", prose, re.MULTILINE)
    assert f"{ROOT}" not in str(notebook)
    for cell in notebook.cells[1:]:
        if cell.cell_type == "code":
            compile(cell.source, name, "exec")


@pytest.mark.built
def test_a_built_notebook_runs_somewhere_else(tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_COURSE_DATA", "digits")
    notebook = nbformat.read(HTML / "_sources" / "book" / "loss.ipynb", as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=300, resources=where).execute()
    assert any(cell.get("outputs") for cell in notebook.cells)
