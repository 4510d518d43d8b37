"""What the rules of one entity can refer to: its platforms, its fields, the defaults; and how to say that a name is none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from syncd.config.drafts import CollectionDraft, PlatformDraft
from syncd.config.nodes import Node, Scalar
from syncd.config.plugins import Plugins
from syncd.config.service import MODES, Service
from syncd.config.source import Source
from syncd.config.suggest import near
from syncd.core.model import Value
from syncd.core.rules import At, Expression, FieldMap, FieldType, Truth

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the ledger or a probe knows, for messages that quote it. ``seen``: fields of a platform that nothing maps.

    ``tried``: by (entity, field, platform) how many ledger samples came back unchanged, of how many; where it is not given
    the ``samples`` are tried, golden values by (entity, field). ``undecided``: by (entity, field) how many records no case of a
    rule is true for, of how many; where it is not given ``count`` is asked: for how many of an entity's records none of these
    conditions is true, of how many (None: it cannot tell).
    """

    seen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tried: Mapping[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)
    undecided: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    samples: Mapping[tuple[str, str], Sequence[Value]] = field(default_factory=dict)
    count: Callable[[str, Sequence[Expression]], tuple[int, int] | None] | None = None


@dataclass(slots=True)
class Part:
    """A platform's part in the entity, as written under ``in:``."""

    platform: PlatformDraft
    collection: CollectionDraft | None
    key: Scalar
    create: bool = False
    only: Expression | None = None
    create_when: Expression | None = None

    @property
    def sure(self) -> bool:
        """Whether what the platform can do is known: not for a later connector, nor where it has errors."""
        return self.collection is not None and self.collection.abilities is not None


@dataclass(slots=True)
class FieldDraft:
    """A field as read. ``nodes`` has the values of its keys, for findings about their meaning."""

    name: str
    key: Scalar
    type: FieldType | None = None
    truth: Truth | None = None
    maps: dict[str, FieldMap] = field(default_factory=dict)
    map_nodes: dict[str, Scalar] = field(default_factory=dict)  # the platform's key under map:
    map_key: Scalar | None = None
    misnamed: set[str] = field(default_factory=set)  # platforms that a misspelt key under map: may mean: not missing as well
    group: str | None = None
    writes: tuple[str, ...] | None = None
    mode: str | None = None

    def closed(self, platform: str) -> bool:
        """Return whether the field itself says that it is never written there."""
        return self.mode == "observe" or (self.writes is not None and platform not in self.writes)


@dataclass(slots=True)
class Scene:
    """One entity's file being read."""

    source: Source
    name: str
    service: Service
    platforms: Mapping[str, PlatformDraft]
    evidence: Evidence = Evidence()
    parts: dict[str, Part] = field(default_factory=dict)
    broken_parts: set[str] = field(default_factory=set)  # named (or meant) under in:, told there and not again
    fields: dict[str, FieldDraft] = field(default_factory=dict)
    groups: dict[str, Truth] = field(default_factory=dict)
    raws: dict[str, dict[str, None]] = field(default_factory=dict)  # platform -> its own paths that expressions name
    plugins: Plugins = field(default_factory=Plugins)  # of the service and of the entity
    limit: str | None = None  # the entity's own mode
    limit_at: At = At()  # noqa: RUF009 - immutable

    def mode(self, platform: str) -> str:
        """Return the mode in which the entity may write to a platform: the most careful that is given."""
        return careful(self.parts[platform].platform, self.service, self.limit, self.limit_at)[0]

    def unmatched(self, platform: str, given: str | None, key: str) -> str:
        """Return what becomes of things there that match nothing: create where the key's rule names the platform."""
        truth = self.fields[key].truth if key in self.fields else None
        return given or ("create" if truth and platform in truth.platforms else "review")

    @property
    def in_names(self) -> list[str]:
        """The platforms of ``in:``, sorted, as fixes list them."""
        return sorted(self.parts)

    def use_one_of(self) -> str:
        """Return the end of a fix: the platforms that can be named."""
        if not self.parts:
            return f"name the platforms of {self.name} under in:"
        return f"use one of: {', '.join(self.in_names)}     (the platforms of {self.name}'s in:)"

    def platform(self, node: Node, why: str) -> str | None:
        """Return the name of a platform of ``in:``; notes E201."""
        if not isinstance(node, Scalar) or node.value is None:
            because = "a rule that names nobody decides nothing"
            self.source.error("E010", node, "must be the name of a platform", why=because, fix=self.use_one_of())
            return None
        if node.text in self.parts:
            return node.text
        if node.text not in self.broken_parts:
            self.no_platform(node, node.text, "E201", why)
        return None

    def no_platform(self, node: Scalar, name: str, code: str, why: str, *, ending: str = "") -> None:
        """Note that a name is no platform of this entity, with did-you-mean."""
        if name in self.platforms:
            self.source.error(
                code,
                node,
                f"{name} is not a platform of {self.name}",
                hint="not in in:",
                why=why,
                fix=f"add  {name}: {{collection: NAME}}  under in:, or {self.use_one_of()}",
            )
            return
        self.source.error(
            code,
            node,
            f'no platform called "{name}"{ending}',
            hint=self.did_you_mean(name, list(self.parts)) or self.did_you_mean(name, list(self.platforms)),
            why=why,
            fix=self.use_one_of(),
        )

    def did_you_mean(self, name: str, names: list[str]) -> str:
        """Return did-you-mean for a platform, with its file."""
        found = [f'"{one}" ({self.platforms[one].source.file})' for one in near(name, names) if one in self.platforms]
        return f"did you mean {' or '.join(found)}?" if found else ""


def careful(platform: PlatformDraft, service: Service, limit: str | None, limit_at: At) -> tuple[str, str]:
    """Return the most careful of a platform's mode and an entity's, and the place that says it."""
    own = platform.mode or service.defaults.mode
    at = platform.mode_at if platform.mode else service.defaults.mode_at
    if limit and MODES.index(limit) < MODES.index(own):
        own, at = limit, limit_at
    return own, f"{at.file}:{at.line}" if at.file else "built in"


def ordinal(n: int) -> str:
    """Return ``first`` for 0."""
    return ORDINALS[n] if n < len(ORDINALS) else f"{n + 1}th"
