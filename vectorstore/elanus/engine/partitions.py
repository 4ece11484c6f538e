"""A collection's partitions: their names, their numbers, and which of them are released."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from elanus.errors import AlreadyExists, InvalidArgument, PartitionNotFound, PartitionNotLoaded, did_you_mean
from elanus.schema.fields import check_name

DEFAULT = "_default"
MAX_PARTITIONS = 4_096


@dataclass(frozen=True)
class Partitions:
    """The partitions by name; a number is never given twice, so that rows of a dropped one stay gone.

    With `hashed`, the collection has a partition key, and that many partitions that rows are counted in by the hash of
    it. They are never named by the caller: the key's own lookup finds a tenant's rows.
    """

    numbers: Mapping[str, int] = field(default_factory=lambda: {DEFAULT: 0})
    next: int = 1
    released: frozenset[str] = frozenset()
    hashed: int = 0

    @property
    def names(self) -> list[str]:
        """The partitions' names."""
        return [f"{DEFAULT}_{n}" for n in range(self.hashed)] if self.hashed else list(self.numbers)

    @property
    def divided(self) -> bool:
        """Whether rows may be in another partition than the default one."""
        return self.next > 1

    def number(self, name: object) -> int:
        """A partition's number.

        Raises:
            PartitionNotFound: with the closest name.
            InvalidArgument: the collection's rows are divided by a partition key.
        """
        if self.hashed:
            raise InvalidArgument("partitions cannot be named in a collection with a partition key; filter on the key")
        if not isinstance(name, str):
            raise InvalidArgument(f"a partition's name must be a str, not {type(name).__name__}")
        if name not in self.numbers:
            raise PartitionNotFound(f"partition not found[partition={name}]{did_you_mean(name, self.numbers)}")
        return self.numbers[name]

    def readable(self, names: Sequence[str] | None) -> tuple[int, ...] | None:
        """The numbers of the partitions to read: those named, or all that are loaded; None for all there are.

        Raises:
            PartitionNotLoaded: a named one is released.
        """
        if not names:
            return None if not self.released else self._numbers(n for n in self.numbers if n not in self.released)
        if isinstance(names, str) or not isinstance(names, Iterable):
            raise InvalidArgument(f"partition_names must be a list of names, not {names!r}")
        chosen = self._numbers(names)
        for name in names:
            if name in self.released:
                raise PartitionNotLoaded(f"partition not loaded[partition={name}]; load_partitions first")
        return None if len(chosen) == len(self.numbers) else chosen

    def _numbers(self, names: Iterable[str]) -> tuple[int, ...]:
        return tuple(sorted({self.number(name) for name in names}))

    def add(self, name: str) -> Partitions:
        """With a further one; the same again changes nothing."""
        check_name("partition", name)
        if self.hashed:
            raise InvalidArgument("create_partition: the partition key divides this collection's rows; it has its own")
        if name in self.numbers:
            return self
        if len(self.numbers) >= MAX_PARTITIONS:
            raise AlreadyExists(
                f"there are {MAX_PARTITIONS} partitions already, and no more can be; use a partition key"
            )
        return replace(self, numbers={**self.numbers, name: self.next}, next=self.next + 1)

    def remove(self, name: str) -> Partitions:
        """Without one, which is not the default one."""
        self.number(name)
        if name == DEFAULT:
            raise InvalidArgument(f"drop_partition: the default partition '{DEFAULT}' cannot be dropped")
        rest = {known: number for known, number in self.numbers.items() if known != name}
        return replace(self, numbers=rest, released=self.released - {name})

    def release(self, names: Iterable[str]) -> Partitions:
        """With these released."""
        return replace(self, released=self.released | self._known(names))

    def load(self, names: Iterable[str]) -> Partitions:
        """With these loaded."""
        return replace(self, released=self.released - self._known(names))

    def _known(self, names: Iterable[str]) -> set[str]:
        chosen = set(names)
        for name in chosen:
            self.number(name)
        return chosen

    def to_dict(self) -> dict[str, Any]:
        """The partitions as JSON-serialisable data."""
        return {
            "numbers": dict(self.numbers),
            "next": self.next,
            "released": sorted(self.released),
            "hashed": self.hashed,
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any] | None) -> Partitions:
        """Read what `to_dict` wrote; a definition older than partitions has none."""
        if raw is None:
            return cls()
        return cls(raw["numbers"], raw["next"], frozenset(raw["released"]), raw["hashed"])
