"""The drawing and the terminal of `puna monitor`: plain ANSI, small enough to run for weeks in a side pane.

Values go in, lines of marked text come out; only `screen` and `wake` touch a terminal.
"""
