"""Families of numbers, and what single ones of them need to be counted."""
