"""A process that can compute and nothing else: bubblewrap around the guest, and a watch on it.

Inside are the installed environment and the decoded images, read-only, and a temporary folder of
limited size; no network, no other process, no environment of the grader's, no home. As root it
runs as nobody, because root in a sandbox is still root.
"""

import dataclasses
import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

from vae_course.errors import SandboxError

__all__ = ["CACHE", "HOME", "Limits", "Place", "prepare"]

SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
OPTIONAL = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts")
HOME = "/tmp/home"  # noqa: S108 - inside the sandbox
CACHE = "/tmp/cache"  # noqa: S108 - likewise


@dataclasses.dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Args:
        seconds: of wall time, for all of it.
        memory_gb: of all its processes together.
        disk_mb: in its temporary folder; a single file may take half.
        processes: and threads, at any time; JAX needs some tens.
    """

    seconds: float = 600
    memory_gb: float = 4
    disk_mb: int = 1024
    processes: int = 96 + 8 * (os.cpu_count() or 1)

    def for_the_kernel(self) -> dict[str, int]:
        """As names and values of ``setrlimit``."""
        return {
            "CORE": 0,
            "CPU": int(self.seconds * (os.cpu_count() or 1)) + 1,
            "DATA": int(self.memory_gb * 1e9),
            "FSIZE": self.disk_mb * 500_000,
            "NOFILE": 1024,
            "NPROC": self.processes,
        }


@dataclasses.dataclass(frozen=True)
class Place:
    """Where guests run: what they see, and how they are started.

    Args:
        bubblewrap: the program; "" runs without a sandbox.
        shown: what is there, read-only: the path inside → the path outside.
        folder: a temporary folder of the grader's, for mount points.
    """

    bubblewrap: str
    shown: dict[str, Path]
    folder: Path

    @property
    def kind(self) -> str:
        """For the reports."""
        return "bubblewrap" if self.bubblewrap else "none"

    @property
    def stage(self) -> dict[str, str]:
        """For root: the path inside → a place of its own through which nobody reaches it."""
        if os.getuid() != 0 or not self.bubblewrap:
            return {}
        return {inside: str(self.folder / str(i)) for i, inside in enumerate(self.shown)}

    def remove(self) -> None:
        """Take the mount points away."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def arguments(self, limits: Limits, environment: dict[str, str]) -> bytes:
        """Bubblewrap's arguments; it reads them from a pipe, so the guest cannot see them."""
        words = ["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent"]
        words += ["--new-session", "--cap-drop", "ALL", "--hostname", "sandbox"]
        words += ["--uid", "1000", "--gid", "1000", "--ro-bind", "/usr", "/usr"]
        for path in map(Path, SYSTEM):
            if path.is_symlink():
                words += ["--symlink", os.readlink(path), str(path)]
            elif path.is_dir():
                words += ["--ro-bind", str(path), str(path)]
        for optional in OPTIONAL:
            words += ["--ro-bind-try", optional, optional]
        size = str(limits.disk_mb * 1_000_000)
        words += ["--proc", "/proc", "--dev", "/dev", "--size", size, "--tmpfs", "/dev/shm"]  # noqa: S108
        words += ["--remount-ro", "/dev", "--size", size, "--tmpfs", "/tmp"]  # noqa: S108
        for inside, outside in self.shown.items():
            words += ["--ro-bind", self.stage.get(inside, str(outside)), inside]
        words += ["--dir", f"{HOME}/work", "--chdir", f"{HOME}/work", "--remount-ro", "/"]
        for name, value in environment.items():
            words += ["--setenv", name, value]
        return b"".join(os.fsencode(word) + b"\0" for word in words)


def prepare(cache: dict[str, Path], *, unsafe: bool = False) -> Place:
    """Make a place for guests.

    Args:
        cache: files that the guest finds in its cache folder: relative path → file.
        unsafe: without a sandbox.

    Raises:
        SandboxError: if there is no bubblewrap that works, with the remedy.
    """
    shown = {f"{CACHE}/{name}": path for name, path in cache.items()}
    shown |= {str(path): path for path in _environment_folders()}
    folder = Path(tempfile.mkdtemp(prefix="vae-course-grade-"))
    folder.chmod(0o755)
    for number, outside in enumerate(shown.values()):
        mount_point = folder / str(number)
        mount_point.mkdir() if outside.is_dir() else mount_point.touch()
    return Place("" if unsafe else _bubblewrap(), shown, folder)


def _bubblewrap() -> str:
    """The path of bubblewrap.

    Raises:
        SandboxError: if it is not installed, with what to install.
    """
    if sys.platform != "linux":
        raise SandboxError(
            "Untrusted notebooks are graded in a sandbox that only Linux has.",
            "Grade in a Linux container or in WSL2; --unsafe grades without a sandbox.",
        )
    found = shutil.which("bwrap")
    if not found:
        raise SandboxError(
            "bubblewrap, which keeps the notebooks of strangers in, is not installed.",
            "Install the package bubblewrap (apt, dnf and pacman have it); --unsafe grades "
            "without a sandbox.",
        )
    return found


def _environment_folders() -> list[Path]:
    """The interpreter, its packages, and this package; what /usr holds is there already."""
    package = Path(__file__).resolve().parents[1]
    folders = [Path(sys.prefix), Path(sys.base_prefix), Path(sysconfig.get_path("stdlib"))]
    kept: list[Path] = []
    for folder in [*folders, package]:
        above = [Path("/usr"), *kept]
        if not any(folder.is_relative_to(other) for other in above):
            kept.append(folder)
    return kept
