"""Ways to count that several families of numbers share."""
