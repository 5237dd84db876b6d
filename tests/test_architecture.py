"""The house: which module may import which, how long things are, what an import costs."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import vae_course
from vae_course.checkpoints import TRAINING_SOURCES

ALLOWED = {
    "__init__": set(),
    "errors": set(),
    "config": {"errors"},
    "distributions": {"errors"},
    "image_sources": {"errors"},
    "image_cache": {"image_sources"},
    "data": {"config", "errors", "image_cache", "image_sources"},
    "architectures": {"config"},
    "models": {"architectures", "config", "distributions", "errors"},
    "losses": {"distributions", "errors"},
    "evaluation": {"models", "distributions", "losses", "errors"},
    "training": {"config", "data", "models", "losses", "evaluation", "errors"},
    "checkpoints": {"config", "data", "models", "training", "errors", "image_cache"},
    "generation": {"models", "distributions", "errors"},
    "factors": {"data", "errors", "image_cache"},
    "plotting": {"errors", "training"},
    "runs": {
        "checkpoints",
        "config",
        "data",
        "errors",
        "generation",
        "image_cache",
        "models",
        "plotting",
        "training",
    },
}
ALLOWED |= {
    "links": set(),
    "checks": {"config", "data", "distributions", "errors", "factors", "image_cache", "links"},
    "exercises": {"checks", "errors", "links"},
    "execution": {"checks", "errors", "exercises", "image_cache"},
    "workspace": {
        "checkpoints",
        "checks",
        "config",
        "data",
        "errors",
        "image_cache",
        "models",
        "training",
    },
}
ALLOWED["grading"] = {
    *("checks", "data", "errors", "exercises", "image_cache", "image_sources", "links"),
}
ALLOWED["widgets"] = {"architectures", "generation", "models", "plotting"}
ALLOWED["cli_grade_options"] = {"errors"}
ALLOWED["cli_grade"] = ALLOWED["cli_exercises"] = set(ALLOWED)
ALLOWED["cli"] = set(ALLOWED)
MATPLOTLIB = {"plotting", "runs"}
FUNCTION_LINES, FILE_LINES = 50, 350

FOLDER = Path(vae_course.__file__).parent
PATHS = {str(path.relative_to(FOLDER).with_suffix("")): path for path in FOLDER.rglob("*.py")}
SOURCES = {name: path.read_text(encoding="utf-8") for name, path in PATHS.items()}
MODULES = sorted(SOURCES)  # a module of a subpackage as "checks/plain"


def imported(source):
    """The dotted name of everything that a module imports, wherever in it, however."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(filter(None, ["vae_course" if node.level else "", node.module]))
            yield from (f"{package}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if function in ("import_module", "__import__"):
                yield str(node.args[0].value)


def arrows(source):
    """The modules of this package that a module imports; the package itself is __init__."""
    dotted = [name.split(".") for name in imported(source)]
    inner = [parts[1] if len(parts) > 1 else "" for parts in dotted if parts[0] == "vae_course"]
    return {name if name in ALLOWED else "__init__" for name in inner}


def row(module):
    """The row of the table that a module stands under: its package's, if it is in one."""
    return module.split("/")[0]


def forbidden(module, source):
    inside = {row(module)} if "/" in module else set()
    return arrows(source) - ALLOWED[row(module)] - inside


def functions(source):
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]


def code_lines(function, source):
    """Lines that are neither blank, nor comment, nor docstring."""
    text = source.splitlines()
    numbers = set(range(function.lineno, function.end_lineno + 1))
    if ast.get_docstring(function) is not None:
        numbers -= set(range(function.body[0].lineno, function.body[0].end_lineno + 1))
    stripped = [text[number - 1].strip() for number in numbers]
    return sum(bool(line) and not line.startswith("#") for line in stripped)


def public(source):
    """The strings in ``__all__``, and what is defined at the top, by name."""
    nodes = ast.parse(source).body
    defined = {node.name: node for node in nodes if hasattr(node, "name")}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vae_course."):
            defined |= {alias.name: None for alias in node.names}  # a package's own, passed on
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        defined |= {target.id: node for target in targets if isinstance(target, ast.Name)}
    return ast.literal_eval(defined["__all__"].value), defined


def loaded_by(statement):
    """The top-level names in ``sys.modules`` after a statement in a fresh interpreter."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_every_module_has_a_row_in_the_table():
    assert set(ALLOWED) == set(map(row, MODULES))


@pytest.mark.parametrize("module", MODULES)
def test_imports_follow_the_table(module):
    assert not forbidden(module, SOURCES[module])


@pytest.mark.parametrize(
    "source",
    [
        "import vae_course.cli",
        "import numpy, vae_course.cli as c",
        "from vae_course import cli",
        "from vae_course import errors, cli",
        "from vae_course.cli import app",
        "from . import cli",
        "from .cli import app",
        "def f():\n    from vae_course.cli import app",
        "if TYPE_CHECKING:\n    from vae_course.cli import app",
        "importlib.import_module('vae_course.cli')",
        "__import__('vae_course.cli')",
    ],
)
def test_a_forbidden_arrow_is_found_however_it_is_written(source):
    assert forbidden("data", source) == {"cli"}


@pytest.mark.parametrize("source", ["import vae_course", "from vae_course import __version__"])
def test_importing_the_package_itself_is_an_arrow_too(source):
    assert forbidden("data", source) == {"__init__"}


def test_allowed_and_foreign_imports_are_no_offence():
    assert forbidden("data", "import os, vae_courses\nfrom vae_course.errors import DataError") == (
        set()
    )


def test_the_table_has_no_circle_and_nobody_may_import_the_command_line():
    placed = {"cli"}
    assert not any("cli" in allowed for name, allowed in ALLOWED.items() if name != "cli")
    rest = {name: allowed for name, allowed in ALLOWED.items() if name != "cli"}
    while rest:
        leaves = {name for name, allowed in rest.items() if allowed <= placed}
        assert leaves, f"a circle among {sorted(rest)}"
        placed |= leaves
        rest = {name: allowed for name, allowed in rest.items() if name not in leaves}


@pytest.mark.parametrize("package", ["checks", "grading"])
def test_inside_a_package_the_arrows_have_no_circle(package):
    inside = {name: source for name, source in SOURCES.items() if name.startswith(f"{package}/")}
    rest = {
        name: {
            f"{package}/{path.split('.')[2]}" for path in imported(source) if path.count(".") > 1
        }
        & set(inside) - {name}
        for name, source in inside.items()
    }
    while rest:
        leaves = {name for name, needs in rest.items() if not needs & set(rest)}
        assert leaves, f"a circle among {sorted(rest)}"
        rest = {name: needs for name, needs in rest.items() if name not in leaves}


def test_matplotlib_is_imported_where_figures_are_made_only():
    importers = {
        module
        for module, source in SOURCES.items()
        if any(name.split(".")[0] == "matplotlib" for name in imported(source))
    }
    assert importers == MATPLOTLIB


@pytest.mark.parametrize("module", MODULES)
def test_functions_and_files_are_short(module):
    source = SOURCES[module]
    lengths = {function.name: code_lines(function, source) for function in functions(source)}
    assert {name: n for name, n in lengths.items() if n > FUNCTION_LINES} == {}
    assert len(source.splitlines()) <= FILE_LINES


def test_lines_are_counted_without_docstring_comments_and_blanks():
    source = 'def f(\n    a,\n):\n    """Two\n    lines."""\n\n    # why\n    return a\n'
    assert code_lines(functions(source)[0], source) == 4


def test_a_function_of_51_lines_is_found():
    source = "async def f():\n" + "    x = 1\n" * FUNCTION_LINES
    assert code_lines(functions(source)[0], source) == FUNCTION_LINES + 1


@pytest.mark.parametrize("module", [module for module in MODULES if module != "__init__"])
def test_public_names_exist_and_what_can_have_a_docstring_has_one(module):
    names, defined = public(SOURCES[module])
    assert set(names) <= set(defined)
    described = [defined[name] for name in names if hasattr(defined[name], "name")]
    assert [node.name for node in described if not ast.get_docstring(node)] == []
    assert ast.get_docstring(ast.parse(SOURCES[module]))


def test_the_checkpoint_key_covers_training_and_all_that_it_imports():
    found, waiting = set(), ["training"]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += arrows(SOURCES[module])
    assert sorted(found) == sorted(TRAINING_SOURCES)


def test_importing_the_package_loads_nothing_heavy():
    heavy = {"matplotlib", "datasets", "ipywidgets", "jax", "brainstate", "braintools", "numpy"}
    assert loaded_by("import vae_course") & heavy == set()


def test_importing_the_command_line_loads_neither_jax_nor_matplotlib():
    assert loaded_by("import vae_course.cli") & {"jax", "numpy", "matplotlib"} == set()


def test_importing_the_data_module_loads_no_decoder_and_no_training():
    heavy = {"datasets", "sklearn", "cv2", "matplotlib", "brainstate", "braintools"}
    assert loaded_by("import vae_course.data") & heavy == set()


def test_a_module_is_loaded_when_its_name_is_first_used():
    code = (
        "import sys, vae_course\n"
        "assert 'vae_course.config' not in sys.modules\n"
        "assert vae_course.config.ModelConfig is sys.modules['vae_course.config'].ModelConfig"
    )
    assert "vae_course" in loaded_by(code)


def test_the_package_lists_modules_that_exist_and_shows_them_to_dir():
    assert set(vae_course.__all__) <= set(map(row, MODULES))
    assert set(vae_course.__all__) <= set(dir(vae_course))


def test_an_unknown_attribute_of_the_package_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = vae_course.nonsense
