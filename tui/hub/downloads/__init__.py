"""Downloads that cannot be lost: a queue that outlives every end of the program, and parts that go on where they
stopped. Blocking code for worker threads; nothing here knows a screen.

`control.Downloads` is the way in; `values` is what front ends see of it.
"""
