"""A forward pass kept, so that others on the same input compute only what differs from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import ReferenceType, ref

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

MAX_BYTES = 2**28
"""What is kept of a pass at most; what does not fit is computed every time."""

#: Arguments that are the same where they are equal.
PLAIN = (
    *(bool, int, float, complex, str, type(None), type(Ellipsis)),
    *(torch.dtype, torch.device, torch.layout, torch.memory_format),
)
HANDED_OUT = {
    *(Tensor.data.__get__, Tensor.numpy, Tensor.__array__, Tensor.__dlpack__),  # type: ignore[attr-defined]
    *(Tensor.data_ptr, Tensor.untyped_storage),
}
"""With these, memory may be written to without a trace on the tensors that lie there."""


class _Unnamed(Exception):
    """An operation has an argument that was not met in the pass that is kept."""


@dataclass(frozen=True, eq=False)
class _Known:
    """A tensor of which is known where it comes from, as long as nobody writes to it."""

    tensor: ReferenceType[Tensor]
    version: int
    name: Hashable


@dataclass(frozen=True, eq=False)
class _Operation:
    """An operation of the pass: what it gave, and to which of the tensors given it wrote."""

    number: int
    found: Any
    versions: list[int]
    written: list[int]

    @property
    def lasts(self) -> bool:
        """Whether what it gave is kept, and still as it was."""
        if self.found is None or self.written:
            return False
        return self.versions == [tensor._version for tensor in _tensors(self.found)]


class Recording:
    """What the operations of a forward pass gave, by what they were given.

    Every tensor is named by where it comes from: the operation, and the names of what that was
    given (value numbering). An operation on the same names gives the same again, and is not
    computed; one that writes to what it is given is done every time. Whatever depends on other
    weights of attention has no name, and is computed.

    Nothing is kept of a module that draws random numbers or hands out its memory.
    """

    def __init__(self) -> None:
        self._operations: dict[Hashable, _Operation] = {}
        self._known: dict[int, _Known] = {}
        self._given: list[Tensor] = []
        self._storages: set[int] = set()
        self._bytes = 0

    @contextmanager
    def written(self) -> Iterator[None]:
        """Keep the operations of a pass made meanwhile."""
        writer, before = _Writer(self), _random_states()
        with writer:
            yield
        drawn = any(not torch.equal(*pair) for pair in zip(before, _random_states(), strict=True))
        if writer.handed_out or drawn:
            self._operations.clear()
            self._given.clear()

    @contextmanager
    def read(self) -> Iterator[None]:
        """Give what is kept instead of computing it, in a pass made meanwhile."""
        with _Reader(self):
            yield

    def name(self, value: Any, *, new: bool) -> Hashable:
        """Name an argument; a tensor that comes from nowhere gets a name if it may be new."""
        if isinstance(value, Tensor):
            return self._name_of_tensor(value, new)
        if isinstance(value, PLAIN):
            return type(value), value
        if isinstance(value, (tuple, list)):
            return type(value), *(self.name(one, new=new) for one in value)
        if isinstance(value, dict):
            return dict, *((key, self.name(one, new=new)) for key, one in value.items())
        if isinstance(value, slice):
            ends = (value.start, value.stop, value.step)
            return slice, *(self.name(end, new=new) for end in ends)
        raise _Unnamed

    def _name_of_tensor(self, tensor: Tensor, new: bool) -> Hashable:
        if tensor.is_inference():  # which does not tell when it is written to
            raise _Unnamed
        known = self._known.get(id(tensor))
        if known and known.tensor() is tensor and known.version == tensor._version:
            return known.name
        if not new:
            raise _Unnamed
        self._given.append(tensor)
        return self._call(tensor, ("given", len(self._given)))

    def _call(self, tensor: Tensor, name: Hashable) -> Hashable:
        self._known[id(tensor)] = _Known(ref(tensor), tensor._version, name)
        return name

    def keep(self, name: Hashable, found: Any, given: list[Tensor], written: list[int]) -> None:
        """Keep an operation, and what it gave as far as there is room."""
        kept = found if self._has_room(_tensors(found)) else None
        versions = [tensor._version for tensor in _tensors(found)]
        operation = _Operation(len(self._operations), kept, versions, written)
        self._operations[name] = operation
        self.recognise(operation, found, given)

    def _has_room(self, tensors: list[Tensor]) -> bool:
        storages = {one._cdata: one.nbytes() for one in (t.untyped_storage() for t in tensors)}
        size = sum(storages[each] for each in storages.keys() - self._storages)
        if self._bytes + size > MAX_BYTES:
            return False
        self._bytes += size
        self._storages |= storages.keys()
        return True

    def find(self, name: Hashable) -> _Operation | None:
        """Return the operation of a name."""
        return self._operations.get(name)

    def recognise(self, operation: _Operation, found: Any, given: list[Tensor]) -> None:
        """Name what an operation gave, and what it wrote to."""
        for place in operation.written:
            self._call(given[place], (operation.number, "given", place))
        as_given = set(map(id, given))
        for place, tensor in enumerate(_tensors(found)):
            if id(tensor) not in as_given and not tensor.is_inference():
                self._call(tensor, (operation.number, place))


class _Naming(TorchFunctionMode):
    """Names operations; alike ones by their number in the pass, so that none shares a result."""

    def __init__(self, recording: Recording, *, new: bool) -> None:
        super().__init__()
        self.recording, self.new = recording, new
        self._met: Counter[Hashable] = Counter()

    def name(self, func: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Hashable:
        """Return the name of an operation, or None for one on what was not met before."""
        try:
            named = func, self.recording.name((args, kwargs), new=self.new)
        except _Unnamed:
            return None
        self._met[named] += 1
        return named, self._met[named]


class _Writer(_Naming):
    def __init__(self, recording: Recording) -> None:
        super().__init__(recording, new=True)
        self.handed_out = False

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        self.handed_out |= func in HANDED_OUT
        name = self.name(func, args, kwargs)
        if name is None:
            return func(*args, **kwargs)
        given = _given(args, kwargs)
        before = [tensor._version for tensor in given]
        found = func(*args, **kwargs)
        written = [n for n, tensor in enumerate(given) if tensor._version != before[n]]
        if written or _tensors(found):
            self.recording.keep(name, found, given, written)
        return found


class _Reader(_Naming):
    def __init__(self, recording: Recording) -> None:
        super().__init__(recording, new=False)

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = self.name(func, args, kwargs)
        operation = None if name is None else self.recording.find(name)
        if operation is None:
            return func(*args, **kwargs)
        found = operation.found if operation.lasts else func(*args, **kwargs)
        self.recording.recognise(operation, found, _given(args, kwargs))
        return found


def _given(*values: Any) -> list[Tensor]:
    """Return the tensors among arguments, in their order."""
    found: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, (tuple, list)):
            found += _given(*value)
        elif isinstance(value, dict):
            found += _given(*value.values())
    return found


def _tensors(found: Any) -> list[Tensor]:
    """Return the tensors that an operation gave, none where it gave anything else too."""
    parts = list(found) if isinstance(found, (tuple, list)) else [found]
    return parts if all(isinstance(part, Tensor) for part in parts) else []


def _random_states() -> list[Tensor]:
    """Return the states of the generators that belong to nobody."""
    on_gpu = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return [torch.get_rng_state(), *on_gpu]
