"""The rules that the test world is reconciled by: one entity, one field per kind of truth, built as the config would."""

from dataclasses import replace
from functools import lru_cache

from syncd.core.equality import parse_equality
from syncd.core.expression import Names, compile_expression
from syncd.core.model import SECOND
from syncd.core.rules import Deletes, Entity, Expression, Field, FieldMap, Group, Match, Member, Rules, Truth
from syncd.core.values import parse_type
from tests.core.mixed_rules import OUT, REFUSED, TEXT_FIELDS, Rule, truth_of
from tests.core.world_platform import KEY, MARK, THINGS, Spec

NAMES = ("a", "b", "c", "d")
AUTHORITY = "a"
STALE_AFTER = 1800 * SECOND


@lru_cache(maxsize=64)
def rules(
    specs: tuple[Spec, ...],
    fields: tuple[str, ...],
    *,
    skew: int,
    clear: bool,
    stray: str,
    elsewhere: str,
    owner: str,
    mix: tuple[tuple[str, Rule], ...] = (),
    guards: frozenset[str] = frozenset(),
) -> Rules:
    """Return the rules of a world. ``o`` has an owner, ``p`` a priority, ``n`` and the group the newest, ``u`` is a union,
    ``d`` a counter, ``m`` the greatest; ``mix`` has other rules for some of them. ``guards``: only, create_when, check.
    """
    names = NAMES[: len(specs)]
    three, two = names[:3], names[:2]
    truths = {
        KEY: Truth("owner", (AUTHORITY,)),
        "o": Truth("owner", (owner,), if_null="clear" if clear else "keep"),
        "p": Truth("priority", two, if_null="next", if_stale="next"),
        "n": Truth("newest", three, skew=skew * SECOND),
        "u": Truth("union", three),
        "d": Truth("delta", three),
        "m": Truth("max", three),
    }
    mixed = {name: truth_of(rule, skew * SECOND) for name, rule in mix}
    truths |= mixed
    kinds = {"u": "set(string)", "d": "integer", "m": "integer"}
    made = {}
    for name in (KEY, *fields):
        grouped = name in ("g1", "g2")
        made[name] = Field(
            name,
            parse_type(kinds.get(name, "string")),
            None if grouped else truths[name],
            {p: FieldMap(name, (name,), direction=direction(s, name)) for p, s in zip(names, specs, strict=True)},
            parse_equality("casefold" if name == "u" else "exact"),
            required=name == KEY,
            stray=dict.fromkeys(names, stray if name == "o" or name in TEXT_FIELDS else "revert"),
            conditions=(refuses(REFUSED),) if name == "x" and "check" in guards else (),
            group="g" if grouped else None,
        )
    members = {p: member(p, s, guards, expressive=bool(mix)) for p, s in zip(names, specs, strict=True)}
    grouping = mixed.get("g", Truth("newest", two, skew=skew * SECOND))
    groups = {"g": Group("g", ("g1", "g2"), grouping)} if "g1" in fields else {}
    by_key = Match((KEY,), lambda value: value, text=KEY)
    deletes = Deletes(authority=AUTHORITY, sweeps=2, wait=0, elsewhere=elsewhere)
    entity = Entity("thing", KEY, made, members, (by_key,), groups, deletes)
    return Rules("0000000", {"thing": entity})


def direction(spec: Spec, name: str) -> str:
    """A counter is only read where it cannot be written exactly (E242)."""
    return "in" if name == "d" and not spec.counts else "both"


@lru_cache(maxsize=4)
def refuses(value: str) -> Expression:
    """Return the check that a value is not this one."""
    return compile_expression(f'value != "{value}"', Names(value=parse_type("string")))


@lru_cache(maxsize=4)
def asks(text: str, *, raw: bool) -> Expression:
    """Return the condition of a scope, or of a create."""
    kinds = dict.fromkeys(TEXT_FIELDS, parse_type("string"))
    return compile_expression(text, Names(raw_bare=True) if raw else Names(bare=kinds))


def member(platform: str, spec: Spec, guards: frozenset[str] = frozenset(), *, expressive: bool = False) -> Member:
    archives = "archives" in spec
    return Member(
        platform,
        THINGS,
        spec.abilities(),
        mode="enforce",
        create=True,
        unmatched="create",
        guard=spec.guard,
        deleted=MARK if archives else None,
        on_delete="archive" if archives else "delete",
        stale_after=STALE_AFTER,
        only=asks(f'w != "{OUT}"', raw=True) if "only" in guards else None,
        create_when=asks("x != null", raw=False) if "create_when" in guards else None,
        raws=("w", "c") if expressive or "only" in guards else (),
    )


def propose_only(one: Rules, platform: str) -> Rules:
    """Return the rules with a platform that is only read."""
    entity = one.entities["thing"]
    members = {**entity.members, platform: replace(entity.members[platform], mode="observe")}
    return Rules(one.sha, {"thing": replace(entity, members=members)})
