"""Build the book, every page executed, warnings as errors; used by ``make book``.

The data set is decided once, so that all pages see the same one.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from vae_course.data import load_images
from vae_course.errors import CourseError

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Build; return the exit code."""
    started = time.monotonic()
    try:
        images = load_images()
    except CourseError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    print(f"Building the book on {images}", flush=True)
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ROOT, "-n", "-W"]
    result = subprocess.run([*command, "--keep-going"], env=_environment(images.name), check=False)
    minutes, seconds = divmod(round(time.monotonic() - started), 60)
    if result.returncode:
        print(f"The book failed to build after {minutes} min {seconds} s; see above.")
        return result.returncode
    print(f"Built on {images.name} in {minutes} min {seconds} s. Open this file in a browser:")
    print(ROOT / "_build" / "html" / "index.html")
    return 0


def _environment(data: str) -> dict[str, str]:
    environment = dict(os.environ, TQDM_DISABLE="1")
    environment.pop("MPLBACKEND", None)  # "agg" would leave the pages without figures
    if data == "digits":
        environment["VAE_COURSE_DATA"] = data
    return environment


if __name__ == "__main__":
    sys.exit(main())
