"""What a window of predictions is like, against the rows that the model was trained on."""
