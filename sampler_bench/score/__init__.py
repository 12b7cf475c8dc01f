"""From records to scores: pure functions."""
