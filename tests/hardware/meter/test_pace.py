"""From one interval to the next."""

from __future__ import annotations

import pytest

from tui.hardware.meter.pace import INTERVALS_S, LONGEST_S, SHORTEST_S, faster, slower


def test_the_ends_are_what_is_promised() -> None:
    assert (SHORTEST_S, LONGEST_S) == (0.2, 10.0)
    assert (faster(SHORTEST_S), slower(LONGEST_S)) == (SHORTEST_S, LONGEST_S)


@pytest.mark.parametrize("at", range(len(INTERVALS_S) - 1))
def test_each_step_leads_to_the_next_and_back(at: int) -> None:
    assert slower(INTERVALS_S[at]) == INTERVALS_S[at + 1]
    assert faster(INTERVALS_S[at + 1]) == INTERVALS_S[at]


def test_a_persons_own_interval_is_left_for_the_nearest_step() -> None:
    assert (faster(3.0), slower(3.0)) == (2.0, 5.0)
    assert (faster(99.0), slower(0.01)) == (10.0, 0.2)
