"""The outside world of routes: their file, the model that classifies, graded results."""
