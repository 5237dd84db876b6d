"""The student's side of an exercise: images, budget, and work that outlives the session.

``work = begin("01-beta")`` is the first line of every exercise. In Colab it keeps trained
models and answers in the student's Drive, elsewhere in the course's cache folder.
"""

import dataclasses
import os
import sys
from pathlib import Path
from typing import TypeVar

import jax

from vae_course.checkpoints import train_or_restore
from vae_course.checks import exercise
from vae_course.checks.progress import recalled
from vae_course.checks.specs import budget
from vae_course.config import TrainConfig
from vae_course.data import ImageData, load_images
from vae_course.errors import ConfigError
from vae_course.image_cache import cache_folder
from vae_course.models import VAE
from vae_course.training import History

__all__ = ["Workspace", "begin"]

DRIVE = Path("/content/drive")
T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Workspace:
    """What an exercise works with.

    ``images`` is the course's data, ``budget`` is ``"full"`` or ``"smoke"``: the second is a
    quick run that shows that everything works, on few training steps.
    """

    exercise: str
    images: ImageData
    budget: str

    def pick(self, *, full: T, smoke: T) -> T:
        """``full`` or ``smoke``, by the budget."""
        return full if self.budget == "full" else smoke

    def train(
        self, model: VAE, config: TrainConfig, *, data: ImageData | None = None, seed: int = 0
    ) -> History:
        """Train ``model`` in place, unless this very training is kept from before.

        Args:
            model: a VAE, also with an encoder and a decoder of your own.
            config: how to train.
            data: what to train on; None means ``images``.
            seed: for the order of the images and the noise.

        Returns:
            `History`.

        Raises:
            ConfigError: as `training.fit`.
            TrainingError: as `training.fit`.
        """
        folder = cache_folder() / "progress" / self.exercise
        data = self.images if data is None else data
        return train_or_restore(model, data, config, seed=seed, folder=folder)

    def recall(self, task: str) -> None:
        """Print the cell that last answered ``task``, as an earlier session left it.

        Raises:
            ConfigError: if there is no such task, or nothing is kept of it.
        """
        name = exercise(self.exercise).task(task).name
        kept = recalled(self.exercise)
        if name not in kept:
            raise ConfigError(
                f"Nothing is kept of {name!r}.", "A cell is kept when its check is run."
            )
        print(kept[name]["source"])


def begin(name: str) -> Workspace:
    """Open an exercise: load the images, and say what is kept from an earlier session.

    Args:
        name: the exercise, such as ``"01-beta"``.

    Raises:
        ConfigError: if there is no such exercise, or the budget is unknown.
        DataError: as `data.load_images`.
    """
    spec = exercise(name)
    if "google.colab" in sys.modules:
        _keep_in_drive()
    _keep_compiled_programs()
    work = Workspace(spec.id, load_images(), budget())
    print(f"{spec.title}: {spec.points} points. Images: {work.images!r}")
    kept = recalled(spec.id)
    if kept:
        passed = sum(entry["status"] == "passed" for entry in kept.values())
        print(
            f"Kept from {max(entry['when'] for entry in kept.values())[:10]}: {len(kept)} cells, "
            f"{passed} passed. work.recall(task) prints one; trained models are found again."
        )
    return work


def _keep_in_drive() -> None:
    """Mount the student's Drive; a Colab machine and its disk are gone when the session ends."""
    from google.colab import drive

    drive.mount(str(DRIVE))
    os.environ.setdefault("VAE_COURSE_CACHE", str(DRIVE / "MyDrive" / "vae_course"))


def _keep_compiled_programs() -> None:
    """Let JAX keep what it compiled: a second run of the notebook starts in half the time."""
    if getattr(jax.config, "jax_compilation_cache_dir", None) is None:
        jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "compiled"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
