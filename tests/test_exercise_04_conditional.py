"""Exercise 04: the solution, wrong submissions, unlike right ones."""

from exercise_cases import cases

TestConditional = cases("04-conditional")
