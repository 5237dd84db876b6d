"""Grading the notebooks of strangers: a sandbox, fresh questions, reports."""

__all__: list[str] = []
