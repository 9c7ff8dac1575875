"""The meter as a picture: a snapshot of the machine becomes lines of marked text, for a pane, a panel or a pipe.

Values go in, lines come out, no wider and no more of them than there is room for. Nothing here measures, knows a
terminal or a front end; what a role looks like is theirs to say.
"""
