"""Grading the notebooks of strangers: a sandbox, fresh questions, reports."""
