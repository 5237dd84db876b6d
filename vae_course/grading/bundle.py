"""An autograder for Gradescope: the package, its lock file and two scripts, in a zip.

Gradescope's containers run as root and may forbid namespaces. There the notebook runs as an
unprivileged user with limits and without a sandbox, and its results say so.
"""

import io
import stat
import zipfile
from pathlib import Path

from vae_course.errors import ExerciseError
from vae_course.image_cache import write_atomically

__all__ = ["write_bundle"]

NEEDED = ("pyproject.toml", "requirements.lock", "README.md", "LICENSE")
DATE = (1980, 1, 1, 0, 0, 0)  # the same content makes the same zip

SETUP = """\
#!/usr/bin/env bash
# Runs once, when Gradescope builds the container.
set -euo pipefail
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends bubblewrap python3-venv
cd /autograder/source
python3 -m venv /opt/vae-course
/opt/vae-course/bin/pip install --quiet --requirement requirements.lock
/opt/vae-course/bin/pip install --quiet --no-deps --no-build-isolation .
# Fetch the images and train the classifier now, not for every submission.
/opt/vae-course/bin/python -c "from vae_course.grading.supplies import gather; gather()"
/opt/vae-course/bin/vae-course grade --self-test || true # the build's log says what to expect
"""

RUN = """\
#!/usr/bin/env bash
# Runs for each submission; results.json is written whatever happens.
grade() {
  rm -rf /tmp/report
  timeout 1500 /opt/vae-course/bin/vae-course grade /autograder/submission --out /tmp/report \\
    --jobs 1 --timeout 1200 --format gradescope "$@"
}
grade
if [ $? -eq 3 ]; then # no sandbox
  grade --unsafe # as an unprivileged user with limits; the result says so
fi
mkdir -p /autograder/results
cp /tmp/report/results.json /autograder/results/results.json ||
  echo '{"score": 0, "output": "Not graded: the grader failed. Tell your instructor."}' \\
    > /autograder/results/results.json
"""


def write_bundle(path: Path, root: Path) -> None:
    """Write the zip.

    Args:
        path: of the zip; an earlier one is replaced.
        root: the course's repository.

    Raises:
        ExerciseError: if that is no repository of the course, or the zip cannot be written.
    """
    missing = [name for name in (*NEEDED, "vae_course") if not (root / name).exists()]
    if missing:
        raise ExerciseError(
            f"{root} is not the course's repository: it has no {missing[0]}.",
            "Name it with --course.",
        )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as bundle:
        _add(bundle, "setup.sh", SETUP.encode(), executable=True)
        _add(bundle, "run_autograder", RUN.encode(), executable=True)
        for file in [root / name for name in NEEDED] + sorted((root / "vae_course").rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                _add(bundle, file.relative_to(root).as_posix(), file.read_bytes())
    try:
        write_atomically(path, content.getvalue())
        path.chmod(0o644)
    except OSError as error:
        raise ExerciseError(
            f"{path} cannot be written ({error.strerror}).", "Choose another place."
        ) from error


def _add(bundle: zipfile.ZipFile, name: str, content: bytes, *, executable: bool = False) -> None:
    member = zipfile.ZipInfo(name, DATE)
    member.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
    bundle.writestr(member, content, zipfile.ZIP_DEFLATED)
