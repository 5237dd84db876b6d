"""Where jobs run: in sandboxes on this machine, or on the workers of a dask cluster.

Both take a job and give a future of its result; `completed` gives the futures as they finish.
"""

import concurrent.futures
import contextlib
import ctypes
import dataclasses
import functools
import gc
import os
import queue
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from vae_course.errors import ConfigError
from vae_course.grading import process
from vae_course.grading.jobs import Job, grade
from vae_course.grading.results import NOT_GRADED, Result
from vae_course.grading.sandbox import Limits, Place, prepare
from vae_course.grading.supplies import Supplies, gather

__all__ = ["Backend", "Cluster", "Local", "failed", "keep_no_freed_memory"]

PATIENCE = 20  # seconds for a scheduler to answer
# M_MMAP_THRESHOLD, M_TRIM_THRESHOLD and M_ARENA_MAX of glibc's malloc.h.
MALLOC = {-3: 2**20, -1: 2**20, -8: 2}


class Backend(Protocol):
    """One way to run jobs."""

    def submit(self, job: Job) -> Any:
        """Start a job; a future of its `Result`."""

    def completed(self, futures: Iterable[Any]) -> Iterator[Any]:
        """The futures, each as it finishes."""

    def close(self) -> None:
        """Stop what still runs, and leave nothing behind."""


def failed(job: Job, why: str) -> Result:
    """The result of a job that the grader, or its machine, could not finish."""
    return Result(
        key=job.key,
        student=job.student,
        file=job.file,
        digest=job.digest,
        handed_in=job.handed_in,
        exercise=job.exercise,
        status=NOT_GRADED,
        problem=f"It could not be graded: {why}. Run the command again.",
        flags=job.flags,
        shingles=job.shingles,
        sandbox="",
    )


class Local:
    """Sandboxes on this machine, ``workers`` at a time, each pinned to its share of processors.

    The sandboxes are processes; a thread of the grader asks each and judges its answers.
    """

    def __init__(self, workers: int, place: Place, supplies: Supplies):
        self.place, self.supplies = place, supplies
        self.shares: queue.SimpleQueue[set[int]] = queue.SimpleQueue()
        for share in _shares(workers):
            self.shares.put(share)
        self.pool = concurrent.futures.ThreadPoolExecutor(workers)
        self.guests = process.Guests()

    def submit(self, job: Job) -> concurrent.futures.Future[Result]:
        """See `Backend.submit`."""
        return self.pool.submit(self._grade, job)

    def completed(
        self, futures: Iterable[concurrent.futures.Future[Result]]
    ) -> Iterator[concurrent.futures.Future[Result]]:
        """See `Backend.completed`."""
        return concurrent.futures.as_completed(futures)

    def close(self) -> None:
        """See `Backend.close`."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.guests.stop()
        self.pool.shutdown(wait=True)
        self.place.remove()

    def _grade(self, job: Job) -> Result:
        share = self.shares.get()
        try:
            return grade(job, self.place, self.supplies, cpus=share, guests=self.guests)
        finally:
            self.shares.put(share)


def _shares(workers: int) -> list[set[int]]:
    """Disjoint sets of this process's processors; empty sets where there are too few."""
    if not hasattr(os, "sched_getaffinity"):
        return [set()] * workers
    cpus = sorted(os.sched_getaffinity(0))
    if workers > len(cpus):
        return [set()] * workers
    return [set(cpus[i::workers]) for i in range(workers)]


class Cluster:
    """The workers of a running dask scheduler; each needs this package and bubblewrap.

    A job whose worker is lost is given to another one.

    Args:
        address: of the scheduler, such as ``"tcp://10.0.0.1:8786"``.
        unsafe: let the workers grade without a sandbox.

    Raises:
        ConfigError: if dask is not installed, or no scheduler answers.
    """

    def __init__(self, address: str, *, unsafe: bool = False):
        client = _client(address)
        gc.collect()  # one that failed closes itself: now, and not inside a thread that starts
        if client is None:
            raise ConfigError(
                f"No dask scheduler answers at {address!r}.",
                "Start one with `dask scheduler`; it prints its address, such as tcp://host:8786.",
            )
        self.client = client
        self.unsafe = unsafe

    def submit(self, job: Job) -> Any:
        """See `Backend.submit`."""
        # pure=False: two students may hand in the same file. The arguments are plain data.
        return self.client.submit(grade_here, dataclasses.asdict(job), self.unsafe, pure=False)

    def completed(self, futures: Iterable[Any]) -> Iterator[Any]:
        """See `Backend.completed`."""
        from distributed import as_completed

        return as_completed(list(futures), loop=self.client.loop)

    def close(self) -> None:
        """See `Backend.close`."""
        self.client.close()


def _client(address: str) -> Any:
    """A client of the scheduler, or None where none answers."""
    try:
        from distributed import Client
    except ImportError as error:
        raise ConfigError(
            "--cluster needs dask.distributed.",
            "Install it: pip install 'vae-course[cluster]'.",
        ) from error
    try:
        return Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError):
        return None


def keep_no_freed_memory() -> None:
    """Have large arrays go back to the system at once; the C library keeps them otherwise."""
    with contextlib.suppress(OSError, AttributeError):  # a C library that is not glibc
        library = ctypes.CDLL(None)
        for option, value in MALLOC.items():
            library.mallopt(option, value)


def grade_here(order: dict[str, Any], unsafe: bool) -> Result:
    """Grade a job on a worker of a cluster, from its plain data."""
    place, supplies = _own_place(unsafe)
    job = Job(**{**order, "limits": Limits(**order["limits"])})
    return grade(job, place, supplies, cpus=set(), guests=process.Guests())


@functools.cache
def _own_place(unsafe: bool) -> tuple[Place, Supplies]:
    keep_no_freed_memory()
    supplies = gather()
    return prepare(supplies.files, unsafe=unsafe), supplies
