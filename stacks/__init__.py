"""The stacks this project brings along."""
