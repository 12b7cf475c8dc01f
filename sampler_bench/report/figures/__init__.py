"""Figures (pictures), a module each: pure functions of scores and curves."""
