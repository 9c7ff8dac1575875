"""puna: a full-screen terminal workbench for running language models on the machine you are logged in to."""

__version__ = "0.1.0"
