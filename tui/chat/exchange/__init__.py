"""Conversations on their way out of the history and into it, as text that other programs and people can read."""
