"""MIG instances as rows of their own, each with its own memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import Any

from tests.hardware.conftest import Clock
from tests.rigs.nvml import GIB, FakeGpu, StandIn, mig_card, two_gpus
from tui.hardware.nvidia import REOPEN_S, NvidiaReader
from tui.hardware.nvml import load_pynvml
from tui.hardware.processes import ProcessNames
from tui.hardware.snapshot import loadable


@contextmanager
def reader(
    stand_in: StandIn, clock: Clock | None = None, environ: Mapping[str, str] | None = None
) -> Iterator[NvidiaReader]:
    with stand_in.in_this_process():
        made = NvidiaReader(load_pynvml, ProcessNames(nested=False), clock or Clock(), environ=environ or {})
        try:
            yield made
        finally:
            made.close()


def with_instances(card: FakeGpu, *changes: Mapping[str, Any]) -> FakeGpu:
    made = [replace(one, **change) for one, change in zip(card.instances, changes, strict=True)]
    return replace(card, instances=made)


def test_a_card_and_its_instances_are_rows_of_their_own(stand_in: StandIn) -> None:
    stand_in.show([two_gpus()[0], mig_card()])
    with reader(stand_in) as gpus:
        whole, card, small, large = gpus.read()
    assert [row.index for row in (whole, card, small, large)] == [0, 1, 1, 1]
    assert [row.divided for row in (whole, card, small, large)] == [False, True, False, False]
    assert (card.total_bytes, card.used_bytes, card.utilization, card.temperature_c) == (80 * GIB, 32 * GIB, None, 61)
    assert (small.name, small.instance, small.parent) == ("NVIDIA Stand-in 80GB MIG 1g.10gb", 0, card.uuid)
    assert (small.total_bytes, small.used_bytes, small.free_bytes) == (10 * GIB, 2 * GIB, 8 * GIB)
    assert (large.instance, large.used_bytes) == (3, 30 * GIB)
    # An instance has no sensors of its own.
    assert (large.utilization, large.temperature_c, large.power_w, large.clock_mhz) == (None, None, None, None)
    assert len({row.key for row in (whole, card, small, large)}) == 4


def test_a_load_goes_to_an_instance_and_never_counts_its_card_too(stand_in: StandIn) -> None:
    stand_in.show([mig_card()])
    large = mig_card().instances[1].uuid
    with reader(stand_in) as gpus:
        assert sum(row.free_bytes or 0 for row in loadable(gpus.read())) == 18 * GIB
    with reader(stand_in, environ={"CUDA_VISIBLE_DEVICES": large}) as gpus:
        (row,) = loadable(gpus.read())
    assert (row.uuid, row.cuda_index) == (large, 0)


def test_what_a_process_holds_of_an_instance_is_unknown_rather_than_nothing(stand_in: StandIn) -> None:
    me = os.getpid()
    stand_in.show([with_instances(mig_card(), {"compute": [(me, 0)]}, {"compute": [(me, -1), (1, 5)]})])
    with reader(stand_in) as gpus:
        card, small, large = gpus.read()
    assert card.processes == ()
    assert [(p.pid, p.used_bytes) for p in small.processes] == [(me, None)]
    assert [(p.pid, p.used_bytes) for p in large.processes] == [(1, 5), (me, None)]
    assert (small.unattributed_bytes, large.unattributed_bytes) == (None, None)


def test_an_older_driver_lists_processes_for_the_card_alone(stand_in: StandIn) -> None:
    card = with_instances(mig_card(), {"errors": {"processes": 3}}, {"errors": {"processes": 3}})

    stand_in.show([replace(card, compute=[(1, -1, 2)])])
    with reader(stand_in) as gpus:
        whole, small, large = gpus.read()
    assert (whole.processes, small.processes) == ((), ())
    assert [p.pid for p in large.processes] == [1]


def test_the_card_may_be_silent_about_itself_while_its_instances_answer(stand_in: StandIn) -> None:
    stand_in.show([replace(mig_card(), errors={"memory": 4, "processes": 4})])
    with reader(stand_in) as gpus:
        card, small, _ = gpus.read()
    assert (card.used_bytes, card.error) == (None, None)
    assert small.used_bytes == 2 * GIB


def test_instances_are_made_and_taken_apart_while_it_is_watched(stand_in: StandIn) -> None:
    clock = Clock()
    plain = replace(mig_card(), mig=0, instances=())
    stand_in.show([plain])
    with reader(stand_in, clock) as gpus:
        (row,) = gpus.read()
        assert not row.divided
        stand_in.show([mig_card()])
        clock.now += REOPEN_S
        assert [row.divided for row in gpus.read()] == [True, False, False]
        stand_in.show([plain])
        clock.now += REOPEN_S
        (row,) = gpus.read()
    assert (row.divided, row.error, row.used_bytes) == (False, None, 32 * GIB)


def test_a_lost_card_takes_its_instances_along_and_brings_them_back(stand_in: StandIn) -> None:
    clock = Clock()
    stand_in.show([mig_card()])
    with reader(stand_in, clock) as gpus:
        gpus.read()
        gone = with_instances(mig_card(), {"errors": {"all": 15}}, {"errors": {"all": 15}})
        stand_in.show([replace(gone, errors={"all": 15})])
        rows = gpus.read()
        assert [row.error is not None for row in rows] == [True, True, True]
        assert rows[2].total_bytes == 40 * GIB
        stand_in.show([mig_card()])
        clock.now += REOPEN_S
        assert [row.error for row in gpus.read()] == [None, None, None]


def test_a_reading_after_others_is_the_one_that_would_have_been_the_first(stand_in: StandIn) -> None:
    clock, plain = Clock(), FakeGpu(uuid="GPU-x", mig=0)
    card = replace(mig_card(), uuid="GPU-x", name=plain.name, used=plain.used, free=plain.free, total=plain.total)
    states = [
        plain,
        replace(plain, used=4 * GIB),
        replace(plain, power=1_000),
        replace(plain, utilization=0),
        replace(plain, temperature=20),
        replace(plain, memory_clock=1),
        replace(plain, compute=[(1, GIB)]),
        replace(plain, compute=[(1, GIB), (os.getpid(), 2 * GIB)]),
        replace(plain, errors={"power": 3}),
        replace(plain, errors={"all": 15}),
        card,
        plain,
    ]
    with reader(stand_in, clock) as gpus:
        for state in chain.from_iterable((one, plain) for one in states):
            stand_in.show([state])
            clock.now += REOPEN_S
            seen = gpus.read({1})
            with reader(stand_in, clock) as others:
                first = others.read({1})
            if seen[0].error is None:
                assert seen == first
