"""What happens in several steps across panels: loading a model, and asking it something."""
