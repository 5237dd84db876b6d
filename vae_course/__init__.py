"""Variational autoencoders, taught: the small package behind the course.

``import vae_course`` is instant: a module is loaded when its name is first used.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

__all__ = [
    "architectures",
    "checkpoints",
    "checks",
    "config",
    "data",
    "distributions",
    "errors",
    "evaluation",
    "factors",
    "generation",
    "losses",
    "models",
    "plotting",
    "training",
    "workspace",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
