"""Stand-in GPUs: devices that exist in this process's memory only, so that llama.cpp's own allocator lays a model out
on cards that are not here. Child processes only.

They hold no memory and compute nothing: a decode on them would end the process. llama.cpp keeps pointers into them, so
they must outlive every model that was loaded onto them.
"""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Callable, Sequence
from ctypes import addressof, c_size_t
from dataclasses import dataclass
from typing import Any

from tui.llama import ggml
from tui.llama.answers import Answers
from tui.llama.backend_rules import RULES, Rules
from tui.llama.devices import Device

_BASE = 0x10000
"""Where buffers pretend to begin. One of no bytes begins nowhere: llama.cpp checks that of a no_alloc model."""
_GUID = (ctypes.c_uint8 * 16)(*b"puna stand-in 01")


@dataclass(frozen=True, slots=True)
class StandInSpec:
    """A device to stand in for."""

    name: str
    """Unique among the devices of a model."""
    profile: str
    """A key of RULES."""
    total_bytes: int
    free_bytes: int


class StandIns:
    """Devices of one machine. Those of one profile are one backend and share its pinned host memory."""

    def __init__(self, specs: Sequence[StandInSpec]) -> None:
        """Make them; `devices` are in the order of `specs`."""
        counts = Counter(spec.profile for spec in specs)
        self.profiles = frozenset(counts)
        self._backends = {profile: _StandInBackend(RULES[profile], count) for profile, count in counts.items()}
        self.devices: tuple[Device, ...] = tuple(self._add(spec) for spec in specs)

    def expect(self, answers: Answers) -> None:
        """Lay a graph out next, and ask the rules only where `answers` says that it matters."""
        for backend in self._backends.values():
            backend.refused = backend.displaced = backend.padded = False
            for device in backend.devices:
                device.expect_operations(refused=answers.refused, displaced=answers.displaced)
                device.expect_padding(padded=answers.graph_padded)

    def expect_tensors(self, *, padded: bool) -> None:
        """Add up weights and caches next, and ask the rules only where some are `padded`."""
        for backend in self._backends.values():
            backend.padded = False
            for device in backend.devices:
                device.expect_padding(padded=padded)

    def expect_several_graphs(self) -> None:
        """Lay out several graphs in one context next, the tensors of which may have the same addresses."""
        for backend in self._backends.values():
            for device in backend.devices:
                device.expect_operations(refused=True, displaced=True)
                device.size_each_time()

    def answers(self) -> Answers:
        """What was answered since `expect`; of weights and caches nothing is known yet."""
        backends = self._backends.values()
        return Answers(
            refused=any(backend.refused for backend in backends),
            displaced=any(backend.displaced for backend in backends),
            graph_padded=self.was_padded(),
            tensors_padded=True,
        )

    def was_padded(self) -> bool:
        """True when a tensor took more than its own bytes since the last of `expect` and `expect_tensors`."""
        return any(backend.padded for backend in self._backends.values())

    def _add(self, spec: StandInSpec) -> Device:
        handle = self._backends[spec.profile].add(spec)
        return Device(spec.name, spec.name, spec.total_bytes, spec.free_bytes, handle)


class _StandInBackend:
    """ggml_backend_reg with its devices."""

    def __init__(self, rules: Rules, count: int) -> None:
        self.rules, self.count = rules, count
        self.devices: list[_StandIn] = []
        self.refused = self.displaced = self.padded = False
        self.buffers: dict[int, int] = {}
        """Address of a device's ggml_backend_buffer to that device."""
        self.registry = ggml.Registry(api_version=ggml.API_VERSION)
        self._name = ctypes.create_string_buffer(rules.registry.encode())
        iface = self.registry.iface
        iface.get_name = ggml.GetName(lambda _: addressof(self._name))
        iface.get_device_count = ggml.GetSize(lambda _: len(self.devices))
        iface.get_device = ggml.DeviceAt(lambda _, index: self.devices[index].handle)
        iface.get_proc_address = ggml.ProcAddress(lambda _registry, _name: None)
        self.pinned = _pinned_type(rules.pinned) if rules.pinned else None

    def add(self, spec: StandInSpec) -> int:
        """Make a device; its ggml_backend_dev_t."""
        device = _StandIn(self, spec)
        self.devices.append(device)
        if self.pinned is not None and len(self.devices) == 1:
            self.pinned[0].device = device.handle
        return device.handle


def _pinned_type(name: str) -> tuple[ggml.BufferType, Any]:
    """The CPU's buffer type under a name of its own, as GPU backends make theirs, and the memory it points into."""
    buffer_type = ggml.BufferType()
    ctypes.memmove(addressof(buffer_type), ggml.cpu_buffer_type(), ctypes.sizeof(buffer_type))
    text = ctypes.create_string_buffer(name.encode())
    buffer_type.iface.get_name = ggml.GetName(lambda _: addressof(text))
    return buffer_type, text


class _StandIn:
    """ggml_backend_device with its buffer type. Its callbacks run thousands of times a question: those that decide
    something look at one number first.
    """

    def __init__(self, backend: _StandInBackend, spec: StandInSpec) -> None:
        self._backend, self._rules, self._spec = backend, backend.rules, spec
        self._label = spec.name.encode()
        self._name = ctypes.create_string_buffer(self._label)
        self._struct = ggml.DeviceStruct(reg=addressof(backend.registry))
        self.handle = addressof(self._struct)
        self._buffer_type = ggml.BufferType(device=self.handle)
        self._buffer_type_at = addressof(self._buffer_type)
        self._get_name = ggml.GetName(lambda _: addressof(self._name))
        self._describe_or_alloc = ggml.NameOrAlloc(self._second_slot)
        self._streams: dict[int, ggml.Backend] = {}
        self._sizes: dict[int, int] = {}
        self._minds_places = False
        self._buffer_iface = ggml.BufferInterface(
            free_buffer=ggml.Release(lambda buffer: self._forget(buffer)),
            get_base=ggml.GetPointer(lambda buffer: _BASE if ggml.Buffer.from_address(buffer).size else None),
            clear=ggml.Clear(lambda _buffer, _value: None),
        )
        self._by_rules = ggml.Asks(self._supports_op())
        self._by_place = ggml.Asks(lambda _, tensor: not self._is_of_another(tensor))
        self._with_extra = ggml.GetAllocSize(self._alloc_bytes(backend.rules.extra_bytes))
        self._release_stream = ggml.Release(lambda stream: self._end_stream(stream))
        self._fill_buffer_type()
        self._fill_device()
        self.expect_operations(refused=True, displaced=True)
        self.expect_padding(padded=True)

    def _fill_buffer_type(self) -> None:
        """Begins like the device does, by which llama.cpp's own code tells it from every other buffer type."""
        iface, alignment = self._buffer_type.iface, self._rules.alignment
        iface.get_name = self._get_name
        iface.alloc_buffer = self._describe_or_alloc
        iface.get_alignment = ggml.GetSize(lambda _: alignment)

    def _fill_device(self) -> None:
        iface, rules, pinned = self._struct.iface, self._rules, self._backend.pinned
        iface.get_name = self._get_name
        iface.get_description = self._describe_or_alloc
        iface.get_memory = ggml.GetMemory(self._memory)
        iface.get_type = ggml.GetType(lambda _: ggml.DEVICE_TYPE_GPU)
        iface.get_props = ggml.FillProps(self._props)
        iface.init_backend = ggml.InitBackend(self._init_backend)
        iface.get_buffer_type = ggml.GetPointer(lambda _: self._buffer_type_at)
        if pinned is not None:
            iface.get_host_buffer_type = ggml.GetPointer(lambda _: addressof(pinned[0]))
        iface.supports_buft = ggml.begin_alike
        iface.offload_op = ggml.Asks(rules.offloads)
        iface.event_new = ggml.GetPointer(lambda _: None)
        iface.event_free = iface.event_synchronize = ggml.FreeEvent(lambda _device, _event: None)

    def _second_slot(self, at: int, size: int) -> int:
        """The description of the device at an address, or a buffer of the buffer type there."""
        if at == self.handle:
            return addressof(self._name)
        buffer: int = ggml.buffer_init(at, self._buffer_iface, None, size)  # ggml deletes it after free_buffer
        self._backend.buffers[buffer] = self.handle
        for device in self._backend.devices:
            device.mind_places()
        return buffer

    def _forget(self, buffer: int) -> None:
        self._backend.buffers.pop(buffer, None)

    def _memory(self, _device: int, free: int, total: int) -> None:
        c_size_t.from_address(free).value = self._spec.free_bytes
        c_size_t.from_address(total).value = self._spec.total_bytes

    def _props(self, _device: int, at: int) -> None:
        props = ggml.Props.from_address(at)
        props.name = props.description = self._label
        props.memory_free, props.memory_total = self._spec.free_bytes, self._spec.total_bytes
        props.type = ggml.DEVICE_TYPE_GPU
        props.device_id = None
        props.caps = ggml.Capabilities(True, self._rules.pinned is not None, False, True, False)

    def _init_backend(self, _device: int, _params: int) -> int:
        self._sizes.clear()  # another context begins
        stream = ggml.Backend(guid=addressof(_GUID), device=self.handle)
        stream.iface.get_name = self._get_name
        stream.iface.free = self._release_stream
        self._streams[addressof(stream)] = stream
        return addressof(stream)

    def _end_stream(self, stream: int) -> None:
        self._streams.pop(stream, None)

    def expect_operations(self, *, refused: bool, displaced: bool) -> None:
        """Decide operations by the rules, by where their operands lie, or natively where all are taken."""
        self._minds_places = displaced and not refused and self._backend.count > 1
        if refused:
            self._struct.iface.supports_op = self._by_rules
        elif ggml.is_always_true:
            self._struct.iface.supports_op = ggml.always
            self.mind_places()
        else:
            self._struct.iface.supports_op = self._by_place

    def mind_places(self) -> None:
        """Look at where operands lie, once anything lies on a device: of a model without weights nothing does but the
        state of recurrent layers.
        """
        if self._minds_places and self._backend.buffers:
            self._struct.iface.supports_op = self._by_place

    def expect_padding(self, *, padded: bool) -> None:
        """Size tensors by the rules, or natively where each takes its own bytes."""
        asked = padded and self._rules.extra_bytes is not None
        self._buffer_type.iface.get_alloc_size = self._with_extra if asked else ggml.GetAllocSize()
        self._sizes.clear()

    def size_each_time(self) -> None:
        """Size tensors by the rules, and none by what another one at its address took."""
        extra_bytes, n_bytes = self._rules.extra_bytes, ggml.n_bytes
        if extra_bytes is None:
            self._buffer_type.iface.get_alloc_size = ggml.GetAllocSize()
        else:
            self._anew = ggml.GetAllocSize(lambda _, tensor: n_bytes(tensor) + extra_bytes(tensor))
            self._buffer_type.iface.get_alloc_size = self._anew

    def _alloc_bytes(self, extra_bytes: Callable[[int], int] | None) -> Callable[[int, int], int]:
        """A callback that sizes each tensor once in a context, where llama.cpp asks ten times. It lays one graph out
        there, so that an address is one tensor.
        """
        n_bytes, backend, sizes = ggml.n_bytes, self._backend, self._sizes

        def alloc_bytes(_buffer_type: int, tensor: int) -> int:
            size: int | None = sizes.get(tensor)
            if size is None:
                extra = extra_bytes(tensor) if extra_bytes is not None else 0
                if extra:
                    backend.padded = True
                size = sizes[tensor] = n_bytes(tensor) + extra
            return size

        return alloc_bytes

    def _supports_op(self) -> Callable[[int, int], bool]:
        """The callback that runs most, so it looks little up in this object."""
        find_rule, read_op, backend = self._rules.supports.get, ggml.read_op, self._backend
        is_of_another = self._is_of_another

        def supports(_device: int, tensor: int) -> bool:
            rule = find_rule(read_op(tensor)[0])
            if rule is None or rule(tensor):
                return True
            backend.refused = True
            return False

        def supports_among_others(device: int, tensor: int) -> bool:
            return supports(device, tensor) and not (backend.buffers and is_of_another(tensor))

        return supports if backend.count == 1 else supports_among_others

    def _is_of_another(self, tensor: int) -> bool:
        """True when an operand lies on another device of this backend, which then has to compute the operation."""
        owner_of, me, read_buffer = self._backend.buffers.get, self.handle, ggml.read_buffer
        for source in ggml.read_sources(tensor):
            if source and owner_of(read_buffer(source)[0], me) != me:
                self._backend.displaced = True
                return True
        return False
