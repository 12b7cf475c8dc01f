"""Number theory in Numba: integers and arrays in, arrays out. Knows no task, no pandas, no I/O."""
