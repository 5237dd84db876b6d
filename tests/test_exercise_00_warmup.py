"""Exercise 00: the solution, wrong submissions, unlike right ones."""

from exercise_cases import cases

TestWarmup = cases("00-warmup")
