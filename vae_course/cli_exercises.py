"""The command line of the exercises: build and verify the notebooks, check one."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

__all__ = ["app", "check"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Build the exercises' notebooks from their sources, and verify them.",
)
out = Console()

Root = Annotated[Path, typer.Option(help="The root of the course's repository.")]
Only = Annotated[str | None, typer.Option(help="One exercise only, such as 01-beta.")]


@app.command()
def build(
    root: Root = Path(),
    only: Only = None,
    again: Annotated[bool, typer.Option(help="Run the unchanged solutions too.")] = False,
) -> None:
    """Write exercises/*.ipynb, and run and write solutions/*.ipynb."""
    from vae_course import execution

    execution.build(
        root.resolve(), lambda line: out.print(line, highlight=False), only=only, again=again
    )


@app.command()
def verify(root: Root = Path(), only: Only = None) -> None:
    """Fail if a committed notebook is not what its source makes."""
    from vae_course import execution

    problems = execution.verify(root.resolve(), only)
    for problem in problems:
        out.print(problem, highlight=False)
    if problems:
        out.print("Run `vae-course exercises build` and commit what it writes.")
        raise typer.Exit(1)
    out.print("The notebooks are what their sources make.")


@app.command("list")
def list_exercises() -> None:
    """Show the exercises: tasks, points, minutes."""
    from vae_course.checks import EXERCISES, exercise

    table = Table("exercise", "title", "tasks", "points", "minutes")
    for name in EXERCISES:
        spec = exercise(name)
        row = (len(spec.tasks), spec.points, spec.minutes)
        table.add_row(spec.id, spec.title, *map(str, row))
    out.print(table)


def check(
    notebook: Annotated[Path, typer.Argument(help="A notebook of an exercise.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a script.")] = False,
) -> None:
    """Run a notebook of an exercise, and say what is right and what is most likely wrong."""
    from vae_course import execution

    if as_json:
        print(json.dumps(execution.check_notebook(notebook), indent=1, ensure_ascii=False))
        return
    with out.status(f"Running {notebook.name}; a full run takes a minute or two …"):
        report = execution.check_notebook(notebook)
    table = Table("task", "points", "verdict", title=report["exercise"])
    for row in report["tasks"]:
        verdict = row["message"] or row["status"]
        table.add_row(row["task"], f"{row['points']}/{row['max_points']}", verdict)
    out.print(table)
