"""ZenML stacks: registering and checking them, and the flavors of this project."""
