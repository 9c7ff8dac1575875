"""Plans that were made for a model on a machine as it was, for whoever asks the same again: a search costs tens of
milliseconds. Only what llama.cpp itself has answered is kept, and nothing that depends on other files.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from tui.fit.plan import Plan

_MOST = 64


class KeptPlans:
    """The last few plans, by all that they depend on."""

    def __init__(self) -> None:
        self._plans: OrderedDict[Hashable, Plan] = OrderedDict()

    def get(self, key: Hashable) -> Plan | None:
        """The plan that was kept by that key."""
        found = self._plans.get(key)
        if found is not None:
            self._plans.move_to_end(key)
        return found

    def keep(self, key: Hashable, made: Plan) -> Plan:
        """Keep it where it will be as true the next time; the plan itself."""
        if made.prediction.source == "dry-run" and not made.prediction.beside:
            self._plans[key] = made
            while len(self._plans) > _MOST:
                self._plans.popitem(last=False)
        return made
