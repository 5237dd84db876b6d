"""Does the sandbox hold on this machine? Break out of it, and see."""

import contextlib
import secrets
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from vae_course.checks.verdicts import Mistake, NotStarted
from vae_course.errors import SandboxError
from vae_course.grading.process import Guest, Guests, last_line
from vae_course.grading.remote import RemoteStudent
from vae_course.grading.sandbox import Limits, Place
from vae_course.grading.wire import Broken, Closed, Late

__all__ = ["REMEDY", "Attempt", "require_sandbox", "try_to_break_out"]

LIMITS = Limits(seconds=60, memory_gb=1.5, disk_mb=64)
PATIENCE = 20.0

REMEDY = (
    "On Ubuntu 24.04 and later, allow bubblewrap in AppArmor: put `abi <abi/4.0>, include "
    "<tunables/global> profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }` into "
    "/etc/apparmor.d/bwrap and run `apparmor_parser -r /etc/apparmor.d/bwrap`. In a container, "
    "start it with `--security-opt seccomp=unconfined --security-opt systempaths=unconfined`, or "
    "use a virtual machine or WSL2. --unsafe grades without a sandbox."
)

ATTEMPTS = """
import ctypes, os, pathlib, signal, socket, subprocess, sys, time

def succeeds(action):
    try:
        return action() is not False
    except (OSError, MemoryError):
        return False

def reads(path):
    return succeeds(lambda: open(path, "rb").read(1) and True)

def writes_outside():
    folders = ["/", "/usr", "/etc", "/dev", sys.prefix, os.path.dirname(os.__file__), "/proc/sys"]
    folders += [part for part in sys.path if os.path.isdir(part)]
    return [f for f in folders if succeeds(lambda: open(f + "/written-by-a-guest", "w").close())]

def connects(port):
    return succeeds(lambda: socket.create_connection(("127.0.0.1", port), 2))

def resolves():
    return succeeds(lambda: socket.getaddrinfo("pypi.org", 443))

def sees(marker):
    texts = [os.environ, *pathlib.Path("/proc").glob("[0-9]*/environ")]
    texts += pathlib.Path("/proc").glob("[0-9]*/cmdline")
    found = [str(t) if t is os.environ else t.read_bytes().decode(errors="ignore") for t in texts]
    return any(marker in text for text in found)

def processes():
    return sum(name.isdigit() for name in os.listdir("/proc"))

def rights():
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return [os.getuid() == 0, int(status["CapEff"], 16), int(status["NoNewPrivs"])]

def makes_a_namespace():
    return ctypes.CDLL(None).unshare(0x10000000) == 0

def children():
    made = []
    try:
        while len(made) < 10_000:
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            made.append(child)
    except OSError:
        pass
    for child in made:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return len(made)

def allocates(count):
    return succeeds(lambda: bytearray(count) is not None)

def fills(count):
    def write():
        for number in range(count // 16_000_000 + 1):
            with open(f"/tmp/full-{number}", "wb") as file:
                file.write(bytes(16_000_000))
    held = succeeds(write)
    for path in pathlib.Path("/tmp").glob("full-*"):
        path.unlink()
    return held

def leaves_a_daemon(marker):
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
    subprocess.Popen([sys.executable, "-S", "-c", code, marker], start_new_session=True)
    return True

def sleeps_for_ever():
    for number in range(1, 32):
        try:
            signal.signal(number, signal.SIG_IGN)
        except OSError:
            pass
    while True:
        time.sleep(60)
"""


class Attempt(NamedTuple):
    """One way out, and whether it was barred; ``seen`` is what happened."""

    what: str
    barred: bool
    seen: str


def try_to_break_out(place: Place) -> list[Attempt]:
    """Try each way out of the sandbox, once.

    Args:
        place: where the guest runs.
    """
    guests, marker = Guests(), f"guest-{secrets.token_hex(8)}"
    with guests.start(place, LIMITS, {}, set()) as guest:
        student = _begin(guest)
        if student is None:
            return [Attempt("the sandbox starts", False, (guest.reason or last_line(guest.words)))]
        found = [Attempt("the sandbox starts", True, place.kind), *_ways_out(student, marker)]
    deadline = time.monotonic() + 2
    while (left := _running(marker)) and time.monotonic() < deadline:
        time.sleep(0.1)
    found.append(Attempt("leaving a process behind", not left, f"{len(left)} left"))
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    return found


def require_sandbox(place: Place) -> None:
    """Start a guest, and see it answer.

    Raises:
        SandboxError: if it does not start, with what bubblewrap said and the remedy.
    """
    with Guests().start(place, LIMITS, {}, set()) as guest:
        if _begin(guest) is None:
            raise SandboxError(
                f"The sandbox does not start: {(guest.reason or last_line(guest.words))}.", REMEDY
            )


def _begin(guest: Guest) -> RemoteStudent | None:
    until = time.monotonic() + PATIENCE
    try:
        order = {"cells": (("attempts", ATTEMPTS),), "limits": LIMITS.for_the_kernel()}
        guest.channel.send(order, until)
        while guest.channel.receive(until) != ("ready",):
            pass
    except (Late, Closed, Broken):
        return None
    return RemoteStudent(guest.channel, patience=PATIENCE)


def _ways_out(student: RemoteStudent, marker: str) -> Iterator[Attempt]:
    def barred(what: str, name: str, *args: Any, held: Any = False) -> Attempt:
        try:
            seen = student.call(name, *args)
        except (Mistake, NotStarted, Late, Closed, Broken) as error:
            return Attempt(what, False, f"could not be tried: {error}")
        return Attempt(what, seen == held, str(seen))

    with tempfile.NamedTemporaryFile(prefix="vae-course-secret-") as file, _listening() as port:
        file.write(b"secret")
        file.flush()
        Path(file.name).chmod(0o644)
        yield barred("reading a file of this machine", "reads", file.name)
        yield barred("connecting to this machine", "connects", port)
    yield barred("reading the accounts", "reads", "/etc/passwd")
    yield barred("reaching a network", "resolves")
    yield barred("writing outside its folder", "writes_outside", held=())
    yield barred("seeing other processes", "processes", held=2)
    yield barred("having rights", "rights", held=(False, 0, 1))
    yield barred("making a namespace", "makes_a_namespace")
    most = LIMITS.processes
    count = barred("starting ever more processes", "children")
    few = count.seen.isdigit() and int(count.seen) < most
    yield count._replace(barred=few, seen=f"{count.seen} of at most {most}")
    yield barred("taking ever more memory", "allocates", int(1.2e9 * LIMITS.memory_gb))
    yield barred("filling the disk", "fills", 2_000_000 * LIMITS.disk_mb)
    yield barred("starting a daemon, to be killed", "leaves_a_daemon", marker, held=True)
    endless = barred("going on for ever", "sleeps_for_ever")
    yield endless._replace(barred=True, seen="stopped after its time")


@contextlib.contextmanager
def _listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def _running(marker: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if marker in process.cmdline():
                found.append(process)
    return found
