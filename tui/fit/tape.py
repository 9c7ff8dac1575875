"""How much memory a sequence of operations needs when each result's place is reused as soon as nobody needs it.

It does what ggml's graph allocator does (`ggml_gallocr_alloc_graph_impl` over `ggml_dyn_tallocr`): inputs first, the
best fitting hole, results in place of an argument where the operation allows. Sizes only; nothing is ever allocated.
"""

from __future__ import annotations

from tui.config.sizes import padded

_ENDLESS = 1 << 62


class Tape:
    """Operations in the order they run in. A node is known by its number."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._sources: list[tuple[int, ...]] = []
        self._in_place: list[bool] = []
        self._inputs: list[int] = []

    def input(self, size: int) -> int:
        """A tensor that is there before anything runs, in bytes."""
        self._inputs.append(len(self._sizes))
        return self.node(size)

    def node(self, size: int, *sources: int, in_place: bool = False) -> int:
        """A result of `size` bytes that needs `sources`; 0 bytes for one that lies in another buffer."""
        self._sizes.append(size)
        self._sources.append(sources)
        self._in_place.append(in_place)
        return len(self._sizes) - 1

    def size(self, node: int) -> int:
        """Bytes of a node."""
        return self._sizes[node]

    def peak(self, alignment: int) -> int:
        """Bytes of the smallest buffer that holds all of it."""
        sizes, sources = [padded(size, alignment) for size in self._sizes], self._sources
        users = [0] * len(sizes)
        for needed in sources:
            for source in needed:
                users[source] += 1
        heap = _Heap()
        places: dict[int, int] = {node: heap.take(sizes[node]) for node in self._inputs if sizes[node]}
        for node, size in enumerate(sizes):
            if size and node not in places:
                reused = self._reusable(node, users, places)
                places[node] = places.pop(reused) if reused is not None else heap.take(size)
            for source in sources[node]:
                users[source] -= 1
                if not users[source] and source in places:
                    heap.give(places.pop(source), sizes[source])
        return heap.peak

    def _reusable(self, node: int, users: list[int], places: dict[int, int]) -> int | None:
        """The argument whose place the result takes, if there is one (`ggml_op_can_inplace`)."""
        if self._in_place[node]:
            for source in self._sources[node]:
                if users[source] == 1 and source in places and self._sizes[source] == self._sizes[node]:
                    return source
        return None


class _Heap:
    """Free blocks of a buffer that grows as needed; the last one is endless."""

    def __init__(self) -> None:
        self._free: list[tuple[int, int]] = [(0, _ENDLESS)]
        self.peak = 0

    def take(self, size: int) -> int:
        """Offset of a new block: in the smallest hole that fits, else at the end."""
        holes = self._free
        best = len(holes) - 1
        for index in range(len(holes) - 1):
            if size <= holes[index][1] <= holes[best][1]:
                best = index
        offset, room = holes[best]
        if room == size:
            del holes[best]
        else:
            holes[best] = (offset + size, room - size)
        self.peak = max(self.peak, offset + size)
        return offset

    def give(self, offset: int, size: int) -> None:
        """Take a block back and join it with the holes beside it."""
        holes = self._free
        index = 0
        while index < len(holes) and holes[index][0] < offset:
            index += 1
        if index < len(holes) and offset + size == holes[index][0]:
            size += holes.pop(index)[1]
        if index and sum(holes[index - 1]) == offset:
            offset, before = holes.pop(index - 1)
            size, index = size + before, index - 1
        holes.insert(index, (offset, size))
