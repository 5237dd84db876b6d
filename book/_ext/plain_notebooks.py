"""Chapters as notebooks that any Jupyter or Colab shows: what MyST says is said in Markdown.

The numbers of figures and equations are the book's, and numbers in the prose are the ones that
the page computed.
"""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import jupytext
import nbformat
from docutils import nodes
from sphinx.environment import BuildEnvironment

from vae_course import links

INSTALL = """\
# In Colab this installs the course.
try:
    import vae_course
except ImportError:
    %pip install --quiet "vae-course[live] @ git+{repository}"
"""
GLUE = '''\
def glue(name, value, display=False):
    """In the book, such a value goes into the text."""
'''
DIRECTIVE = re.compile(
    r"^(:{3,}|`{3,})\{([a-z-]+)\} *([^\n]*)\n(.*?)^\1$\n?", re.DOTALL | re.MULTILINE
)
ROLE = re.compile(r"\{([a-z:]+)\}`([^`]+)`")


def plain_notebook(source: Path, doctree: nodes.document, env: BuildEnvironment) -> str:
    """The notebook of one chapter, as JSON.

    Args:
        source: the chapter, a MyST notebook.
        doctree: what became of it, for the numbers in the prose.
        env: where the numbers of figures and equations are.
    """
    chapter = jupytext.read(source)
    glued = (node.astext() for node in doctree.findall(_is_glued))
    cells = [nbformat.v4.new_code_cell(INSTALL.format(repository=links.repository()), id="install")]
    for index, cell in enumerate(chapter.cells):
        if cell.cell_type == "markdown":
            text = _plain(cell.source, source, env, glued)
            cells.append(nbformat.v4.new_markdown_cell(text, id=f"text-{index}"))
        else:
            cells += _code(cell, index, env)
    if next(glued, None) is not None:
        raise ValueError(f"{source.name} has more numbers in its prose than were asked for.")
    metadata = {"kernelspec": chapter.metadata["kernelspec"]}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(notebook)
    return nbformat.writes(notebook)


def _is_glued(node: nodes.Node) -> bool:
    return isinstance(node, nodes.inline) and "pasted-text" in node["classes"]


def _code(cell: nbformat.NotebookNode, index: int, env: BuildEnvironment) -> Iterator:
    code = cell.source.replace("from myst_nb import glue\n", "")
    if code != cell.source:
        code = f"{GLUE}\n\n{code}"
    yield nbformat.v4.new_code_cell(code, id=f"code-{index}")
    figure = cell.metadata.get("mystnb", {}).get("figure")
    if figure:
        caption = f"*{_figure_number(figure['name'], env)}. {figure['caption']}*"
        yield nbformat.v4.new_markdown_cell(caption, id=f"caption-{index}")


def _plain(text: str, source: Path, env: BuildEnvironment, glued: Iterator[str]) -> str:
    text = re.sub(r"^\([\w-]+\)=\n", "", text, flags=re.MULTILINE)
    text = ROLE.sub(lambda found: _role(*found.groups(), env=env, glued=glued), text)
    text = DIRECTIVE.sub(lambda found: _directive(*found.groups()[1:], source=source), text)
    text = re.sub(
        r"\$\$ \(([\w-]+)\)",
        lambda found: rf"\tag{{{_equation_number(found[1], env)}}} $$",
        text,
    )
    return re.sub(r"\]\(([^):]+)\)", lambda found: f"]({_address(found[1], env)})", text)


def _role(role: str, content: str, *, env: BuildEnvironment, glued: Iterator[str]) -> str:
    if role == "glue:text":
        return next(glued)
    if role == "numref":
        return _figure_number(content, env)
    if role == "eq":
        return f"({_equation_number(content, env)})"
    if role == "cite":
        keys = ", ".join(key.strip() for key in content.split(","))
        return f"[[{keys}]]({links.book_page('bibliography')})"
    raise ValueError(f"No plain words for the role {role}: say in {__name__} what becomes of it.")


def _directive(name: str, argument: str, body: str, *, source: Path) -> str:
    options = dict(re.findall(r"^:([\w-]+): *(.*)$", body, re.MULTILINE))
    body = re.sub(r"^:[\w-]+:.*\n", "", body, flags=re.MULTILINE).strip("\n")
    if name == "literalinclude":
        code = _definition(source.parent / argument, options["pyobject"])
        return f"```python\n{code}\n```\n"
    if name in ("admonition", "warning", "dropdown"):
        lines = f"**{argument or name.title()}**\n\n{body}".splitlines()
        return "\n".join(f"> {line}".rstrip() for line in lines) + "\n"
    if name == "list-table":
        return _table(argument, body)
    if name == "nb-exec-table":
        return f"*The table stands in [the book]({links.book_page(source.stem)}).*\n"
    raise ValueError(f"No plain words for the directive {name}: say in {__name__} what it becomes.")


def _table(title: str, body: str) -> str:
    rows = [re.split(r"\n  - ", row) for row in re.split(r"^\* - ", body, flags=re.MULTILINE)[1:]]
    lines = [" | ".join(" ".join(cell.split()) for cell in row) for row in rows]
    lines.insert(1, " | ".join("---" for _ in rows[0]))
    return f"**{title}**\n\n" + "\n".join(f"| {line} |" for line in lines) + "\n"


@functools.cache
def _definition(path: Path, dotted: str) -> str:
    """The source of a function, class or method of a module."""
    text = path.read_text(encoding="utf-8")
    node: ast.AST = ast.parse(text)
    for name in dotted.split("."):
        node = next(
            child for child in ast.iter_child_nodes(node) if getattr(child, "name", None) == name
        )
    return ast.get_source_segment(text, node) or ""


def _figure_number(name: str, env: BuildEnvironment) -> str:
    page, label = env.get_domain("std").anonlabels[name][:2]
    for kind, title in (("figure", "Fig."), ("table", "Table")):
        number = env.toc_fignumbers.get(page, {}).get(kind, {}).get(label)
        if number:
            return f"{title} {'.'.join(map(str, number))}"
    raise KeyError(f"{name} has no number")


def _equation_number(label: str, env: BuildEnvironment) -> str:
    return str(env.get_domain("math").get_equation_number_for(label))


def _address(target: str, env: BuildEnvironment) -> str:
    """Where a link of a page leads when the page is elsewhere."""
    if target in env.get_domain("std").anonlabels:
        target = "#".join(env.get_domain("std").anonlabels[target][:2]).removeprefix("book/")
    name, _, anchor = target.partition("#")
    if name.endswith(".ipynb"):
        return links.colab(name.removeprefix("../"))
    page = name.removesuffix(".md") or target
    return links.book_page(f"{page}#{anchor}" if anchor else page)
