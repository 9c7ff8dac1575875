"""Keeps llama.cpp's threads from fighting the rest of the machine for its cores. Called before llama.cpp is loaded."""

from __future__ import annotations

import os

SPINS = "5000"
"""Turns that a thread waits for the others at a barrier before it sleeps. By libgomp's default it spins on for as
long as its time slice when another program has taken a core. Measured on 2 cores with SmolLM2: alone 94 tok/s with
the default and 93 with 2000 turns; beside one busy program 5 and 22; beside two 4 and 30. At depth waits are longer:
3000 turns cost a twentieth of the speed there, 8000 nothing, but those give half of the rate beside a busy program.
"""
_SET_BY_HAND = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


def share_the_cores(threads: int, cpus: int) -> None:
    """Let the threads sleep soon when there are as many as `cpus`, so that the screen and others take their turns
    from them.

    With CPUs to spare nobody takes a core away, and waking costs more than it gives. What the person set stays.
    """
    if threads >= cpus and not any(name in os.environ for name in _SET_BY_HAND):
        os.environ["GOMP_SPINCOUNT"] = SPINS
