"""Exercise 05: the solution, wrong submissions, unlike right ones."""

from exercise_cases import cases

TestDisentangled = cases("05-disentangled")
