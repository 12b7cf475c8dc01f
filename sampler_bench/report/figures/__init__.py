"""Figures: pure functions of scores and curves."""
