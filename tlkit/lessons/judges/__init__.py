"""What judges the exercises, a module a lesson, each with its `EXERCISES`: {"01.1": (judge, hints)}."""
