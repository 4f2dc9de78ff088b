"""Arithmetic that several rooms share: dates as numbers, expressions over columns, calibration of probabilities."""
