"""Exercise 01: the solution, wrong submissions, unlike right ones."""

from exercise_cases import cases

TestBeta = cases("01-beta")
