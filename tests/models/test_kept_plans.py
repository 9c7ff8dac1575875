"""Plans that were made once: found again, and only those that will be as true the next time."""

from __future__ import annotations

import msgspec
import pytest

from tests.fit.rig import Model, Rig, machine
from tui.fit.plan import Plan, plan
from tui.fit.values import BesideBytes
from tui.llama.settings import LoadSettings
from tui.models.kept_plans import KeptPlans


@pytest.fixture
async def made() -> Plan:
    here = machine(24)
    return await plan(LoadSettings(), Model(), here, Rig(Model(), here).ask)


def test_a_plan_is_found_by_all_that_it_depends_on(made: Plan) -> None:
    kept = KeptPlans()
    assert kept.keep((LoadSettings(), machine(24)), made) is made
    assert kept.get((LoadSettings(), machine(24))) is made
    assert kept.get((LoadSettings(), machine(23))) is None
    for number in range(64):
        kept.keep(number, made)
    assert (kept.get((LoadSettings(), machine(24))), kept.get(0)) == (None, made)


def test_an_estimate_and_what_depends_on_other_files_are_not_kept(made: Plan) -> None:
    kept = KeptPlans()
    for changes in ({"source": "estimate"}, {"beside": (BesideBytes("projector", 1),)}):
        prediction = msgspec.structs.replace(made.prediction, **changes)
        kept.keep("it", msgspec.structs.replace(made, prediction=prediction))
        assert kept.get("it") is None
