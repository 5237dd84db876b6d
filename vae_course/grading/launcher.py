"""The last steps before a sandbox: give up every right, then become its command.

Run as a script with ``python -I -S launcher.py JSON``, so it imports the standard library only.
As root it first puts the folders that an unprivileged user could not reach, such as a Python
below ``/root``, where that user can: in a mount namespace of its own, that nobody else sees.
"""

import ctypes
import json
import os
import sys
from typing import Any

__all__ = ["main"]

CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE, PR_SET_NO_NEW_PRIVS = 0x20000, 4096, 16384, 1 << 18, 38


def main(order: dict[str, Any]) -> None:
    """Pin to processors, stage, drop, execute.

    Args:
        order: ``command`` and ``environment``; ``cpus`` to pin to; for root, ``user`` to become
            and ``stage``, pairs of a source and a place that exists.
    """
    if order["cpus"] and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, order["cpus"])
    if os.getuid() == 0:
        if order["stage"]:
            _stage(order["stage"])
        user = order["user"]
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    if sys.platform == "linux":
        _libc(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, name="prctl")
    os.execve(order["command"][0], order["command"], order["environment"])  # noqa: S606 - no shell


def _stage(pairs: list[list[str]]) -> None:
    _libc(CLONE_NEWNS, name="unshare")
    _libc(None, b"/", None, MS_REC | MS_PRIVATE, None, name="mount")
    for source, place in pairs:
        _libc(os.fsencode(source), os.fsencode(place), None, MS_BIND | MS_REC, None, name="mount")


def _libc(*arguments: Any, name: str) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
