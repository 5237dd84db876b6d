"""Exercise 03: the solution, wrong submissions, unlike right ones."""

from exercise_cases import cases

TestConvolutional = cases("03-convolutional")
