"""Small models trained on exact samples: worlds where the truth of the training is known."""
