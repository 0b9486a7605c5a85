"""The choice of the penalty and of the features: many paths on the one X in memory."""
