"""Where work is done: in this process, in processes beside it, or on a Ray cluster."""
