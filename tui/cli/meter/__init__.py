"""`puna monitor` on its terminal or pipe: plain ANSI, small enough to run for weeks in a side pane.

What the picture shows is made by `tui.hardware.meter`; here it is painted, and keys, ticks and signals are heard.
"""
