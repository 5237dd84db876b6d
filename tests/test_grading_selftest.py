import os
import shutil
import tempfile
from pathlib import Path

import pytest
from grading_runs import needs_bubblewrap
from typer.testing import CliRunner

from vae_course import cli_grade
from vae_course.errors import SandboxError
from vae_course.grading import process, sandbox
from vae_course.grading.selftest import require_sandbox, try_to_break_out


@pytest.mark.slow
@needs_bubblewrap
def test_the_sandbox_holds_on_this_machine():
    found = CliRunner().invoke(cli_grade.app, ["--self-test"])
    assert found.exit_code == 0, found.output
    assert "✗" not in found.output
    assert found.output.count("✓") >= 14


@pytest.mark.slow
def test_the_self_test_can_fail(monkeypatch):
    """Without a sandbox it must see that the ways out are open."""
    monkeypatch.setattr(process, "NOBODY", os.getuid())  # nobody may not reach this Python
    place = sandbox.prepare({}, unsafe=True)
    found = {one.what: one.barred for one in try_to_break_out(place)}
    place.remove()
    assert found["the sandbox starts"]
    assert not found["reading the accounts"]
    assert not found["connecting to this machine"]
    assert not found["seeing other processes"]


def test_without_bubblewrap_the_remedy_is_named(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SandboxError, match="Install the package bubblewrap"):
        sandbox.prepare({})


@needs_bubblewrap
def test_a_sandbox_that_does_not_start_says_why():
    folder = Path(tempfile.mkdtemp())  # tmp_path is closed to nobody
    folder.chmod(0o755)
    broken = folder / "bwrap"
    broken.write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"
    )
    broken.chmod(0o755)
    place = sandbox.Place(str(broken), {}, folder)
    with pytest.raises(SandboxError, match=r"No permissions to create new namespace.*AppArmor"):
        require_sandbox(place)
    place.remove()
