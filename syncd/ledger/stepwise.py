"""The fields of a shadow that hold what golden holds, made only when somebody asks: most of a batch's are never looked at."""

from collections.abc import ItemsView, Iterator, Mapping
from typing import Any, Self

from syncd.core.model import GoldenField, Known, ShadowField, Value, Word

made, keep = dict.get, dict.__setitem__  # what a plain dictionary does: the quick way, for where it counts
Standing = tuple[Value, int, int]  # a golden field as it was loaded: value, lo, hi


def standing(golden: Mapping[str, GoldenField]) -> dict[str, Standing]:
    """Return golden as it stands, for all shadows of a record."""
    return {name: (field.value, field.lo, field.hi) for name, field in golden.items()}


class Stepwise(dict[str, ShadowField]):  # noqa: PLW1641 - a dictionary has no hash
    """A shadow's fields by name. ``left`` are those in step with golden that nobody asked for, said by ``word`` and ``by``.

    It behaves as the whole dictionary would; what looks at all of it makes all of it.
    """

    __slots__ = ("by", "left", "word")

    def __init__(self, made: Mapping[str, ShadowField], left: dict[str, Standing], word: Word, by: str | None) -> None:
        super().__init__(made)
        self.left = left
        self.word = word
        self.by = by

    def __missing__(self, name: str) -> ShadowField:
        value, lo, hi = self.left.pop(name)
        known = Known.NULL if value is None else Known.OK
        field = ShadowField(value, known, value, self.word, lo, hi, by=self.by)
        keep(self, name, field)
        return field

    def whole(self) -> Self:
        """Make what is left, and return all."""
        for name in list(self.left):
            self[name]  # asking makes it
        return self

    def made(self) -> ItemsView[str, ShadowField]:
        """Return the fields that were made so far."""
        return super().items()

    def get(self, name: str, default: Any = None) -> Any:
        """Return a field, or the default."""
        found = made(self, name)
        if found is not None:
            return found
        return self[name] if name in self.left else default

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return a field; one that is not there becomes the default."""
        return super().setdefault(name, self.get(name, default))

    def pop(self, name: str, *default: Any) -> Any:
        """Take a field out."""
        return super(Stepwise, self.whole()).pop(name, *default)

    def __setitem__(self, name: str, field: ShadowField) -> None:
        self.left.pop(name, None)
        super().__setitem__(name, field)

    def __delitem__(self, name: str) -> None:
        super(Stepwise, self.whole()).__delitem__(name)

    def clear(self) -> None:
        """Take all fields out."""
        self.left.clear()
        super().clear()

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self.left

    def __len__(self) -> int:
        return super().__len__() + len(self.left)

    def __iter__(self) -> Iterator[str]:
        return super(Stepwise, self.whole()).__iter__()

    def __eq__(self, other: object) -> bool:
        return super(Stepwise, self.whole()).__eq__(other)

    def keys(self) -> Any:
        """Return all names."""
        return super(Stepwise, self.whole()).keys()

    def values(self) -> Any:
        """Return all fields."""
        return super(Stepwise, self.whole()).values()

    def items(self) -> Any:
        """Return all fields with their names."""
        return super(Stepwise, self.whole()).items()

    def copy(self) -> dict[str, ShadowField]:
        """Return a plain dictionary of all fields."""
        return dict(self.items())

    def __or__(self, other: Any) -> Any:
        return self.copy() | other

    def __reduce__(self) -> tuple[type[dict[str, ShadowField]], tuple[list[tuple[str, ShadowField]]]]:
        return dict, (list(self.items()),)
