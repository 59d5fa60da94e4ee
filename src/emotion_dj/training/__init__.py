"""One readable recipe per model. Nothing outside this room imports it, except the command line."""
