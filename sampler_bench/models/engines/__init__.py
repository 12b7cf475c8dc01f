"""What is asked of a server, and how next-digit laws come out of its answers."""
