"""Servers: started, watched, and ended."""
