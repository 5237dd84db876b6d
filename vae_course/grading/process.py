"""One guest: started, watched, spoken to, and put to an end with all that it started."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from vae_course.grading import launcher
from vae_course.grading.sandbox import CACHE, HOME, Limits, Place
from vae_course.grading.wire import Channel

__all__ = ["Guest", "Guests", "Interrupted", "last_line"]

GUEST = (sys.executable, "-m", "vae_course.grading.guest")
NOBODY = 65534  # whom root becomes
LOOKS_EVERY = 0.1  # seconds
MOST_FILES = 100_000
KEPT_WORDS = 4000
LIBRARIES = {
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONSAFEPATH": "1",
    "MPLBACKEND": "agg",
    "JAX_PLATFORMS": "cpu",
    "HF_HUB_OFFLINE": "1",
    "TQDM_DISABLE": "1",
    "VAE_COURSE_SANDBOX": "1",  # check() does nothing: the grader asks
}


class Guest:
    """A running guest and the watch on it.

    ``reason`` is why it was stopped, in words that end a sentence; "" while it was not.
    ``most_memory`` is in bytes.
    """

    def __init__(self, process: subprocess.Popen[bytes], limits: Limits):
        self.process, self.limits = process, limits
        self._streams = [s for s in (process.stdin, process.stdout, process.stderr) if s]
        stdin, stdout, self._stderr = (stream.fileno() for stream in self._streams)
        self.channel = Channel(stdout, stdin)
        self.reason, self.most_memory, self.words = "", 0, b""
        self._over = threading.Event()
        self._threads = [threading.Thread(target=f) for f in (self._watch, self._listen)]
        for thread in self._threads:
            thread.start()

    def stop(self, reason: str = "") -> None:
        """Kill it and all that it started; the first reason stays."""
        self.reason = self.reason or reason
        _kill(self.process)

    def close(self) -> None:
        """Kill it, and leave nothing open."""
        self._over.set()
        self.stop()
        self.process.wait()
        for thread in self._threads:
            thread.join()
        for stream in self._streams:
            with contextlib.suppress(OSError):
                stream.close()

    def _watch(self) -> None:
        limit = self.limits.memory_gb * 1e9
        while not self._over.wait(LOOKS_EVERY):
            memory = _memory(self.process.pid, limit)
            files = _files(self.process.pid, self.limits.disk_mb * 1e6)
            self.most_memory = max(self.most_memory, memory)
            if memory > limit:
                self.stop(f"took more than {self.limits.memory_gb:g} GB of memory")
            elif files > MOST_FILES:
                self.stop(f"made more than {MOST_FILES:,} files")

    def _listen(self) -> None:
        """Keep the end of what Python says before the notebook begins, for the grader's log."""
        while piece := os.read(self._stderr, 65536):
            self.words = (self.words + piece)[-KEPT_WORDS:]


class Interrupted(Exception):  # noqa: N818 - an event
    """The grader is stopping; no further guest is started."""


class Guests:
    """The guests of a grader, so that all can be stopped at once."""

    def __init__(self) -> None:
        self._running: set[Guest] = set()
        self._lock = threading.Lock()
        self._stopping = False

    def stop(self) -> None:
        """Kill all; whoever asks for another one gets `Interrupted`."""
        with self._lock:
            self._stopping = True
            running = list(self._running)
        for guest in running:
            guest.stop("was stopped")

    @contextlib.contextmanager
    def start(
        self, place: Place, limits: Limits, environment: dict[str, str], cpus: set[int]
    ) -> Iterator[Guest]:
        """A guest, which is gone when the block ends.

        Args:
            place: where.
            limits: what it may use; wall time is its user's to watch.
            environment: beside what libraries need.
            cpus: the processors that it is pinned to; all if empty.

        Raises:
            Interrupted: if the grader is stopping.
            OSError: if it cannot be started.
        """
        with contextlib.ExitStack() as stack:
            process = _start(stack, place, limits, environment, cpus)
            guest = Guest(process, limits)
            stack.callback(guest.close)
            with self._lock:
                if self._stopping:
                    raise Interrupted
                self._running.add(guest)
            stack.callback(self._running.discard, guest)
            yield guest


def _start(
    stack: contextlib.ExitStack,
    place: Place,
    limits: Limits,
    environment: dict[str, str],
    cpus: set[int],
) -> subprocess.Popen[bytes]:
    if place.bubblewrap:
        given = {**LIBRARIES, **environment, **_folders(Path(HOME), Path(CACHE))}
        descriptor = stack.enter_context(_pipe_with(place.arguments(limits, given)))
        command = [place.bubblewrap, "--args", str(descriptor), "--", *GUEST]
        given, keep = {}, [descriptor]
    else:
        folder = stack.enter_context(_own_folder(place))
        given = {**LIBRARIES, **environment, **_folders(folder / "home", folder / "cache")}
        command, keep = list(GUEST), []
    stage = [[str(place.shown[inside]), at] for inside, at in place.stage.items()]
    order = {
        "command": command,
        "environment": given,
        "cpus": list(cpus),
        "user": NOBODY,
        "stage": stage,
    }
    return subprocess.Popen(  # noqa: S603 - a list of our own
        [sys.executable, "-I", "-S", launcher.__file__, json.dumps(order)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        pass_fds=keep,
        start_new_session=True,
    )


def _folders(home: Path, cache: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "MPLCONFIGDIR": str(cache / "matplotlib"),
        "VAE_COURSE_CACHE": str(cache),
    }


@contextlib.contextmanager
def _pipe_with(content: bytes) -> Iterator[int]:
    reading, writing = os.pipe()
    os.write(writing, content)  # far below what a pipe holds
    os.close(writing)
    try:
        yield reading
    finally:
        os.close(reading)


@contextlib.contextmanager
def _own_folder(place: Place) -> Iterator[Path]:
    """Without a sandbox: a folder of its own, that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="vae-course-guest-"))
    try:
        for inside, outside in place.shown.items():
            if inside.startswith(CACHE):
                copy = folder / "cache" / Path(inside).relative_to(CACHE)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(outside, copy)
        (folder / "home" / "work").mkdir(parents=True)
        if os.getuid() == 0:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _family(pid: int) -> list[psutil.Process]:
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except psutil.Error:
        return []


def _memory(pid: int, limit: float) -> int:
    """Bytes that a process and its descendants hold.

    The quick count takes a page of two forked processes twice, so above the limit the kernel's
    own, slow one decides, as far as this user may ask it.
    """
    quick, exact = 0, 0
    family = _family(pid)
    for process in family:
        with contextlib.suppress(psutil.Error):
            held = process.memory_info()
            quick += held.rss - getattr(held, "shared", 0)
    if quick <= limit:
        return quick
    for process in family:
        try:
            exact += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
        except (psutil.Error, AttributeError):
            return quick
    return exact


def _files(pid: int, size: float) -> int:
    """How many files its temporary folder of that size holds, as far as this user may know."""
    for process in _family(pid)[-1:]:
        with contextlib.suppress(OSError, AttributeError):
            found = os.statvfs(f"/proc/{process.pid}/root/tmp")
            # Until the sandbox stands, this is the machine's own.
            if found.f_blocks * found.f_frsize <= 1.01 * size:
                return found.f_files - found.f_ffree
    return 0


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its descendants. A sandbox ends with the process that holds it."""
    family = _family(process.pid)
    with contextlib.suppress(OSError):
        process.kill()
    for member in family[1:]:
        with contextlib.suppress(psutil.Error):
            member.kill()
    deadline = time.monotonic() + 5
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)


def last_line(words: bytes) -> str:
    """The last line of what a guest said before it began; it says why it did not."""
    lines = words.decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "it says nothing"
