"""Exercise 02: the solution, wrong submissions, unlike right ones."""

from exercise_cases import cases

TestLatentSize = cases("02-latent-size")
