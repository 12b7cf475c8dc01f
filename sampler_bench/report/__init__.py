"""Leaderboards, tables and figures: pure functions of scores and records."""
