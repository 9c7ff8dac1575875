"""The Hugging Face Hub: its files, and the headers of models that are not here. The one place that knows its client.

Functions that ask the hub block and are meant for worker threads; importing this package is cheap, as the client is not
imported before it is needed.
"""
