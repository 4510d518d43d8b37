"""Every rule of the semantics that one small function carries, and what that function would be without the rule.

``without("defer")`` switches rules off for a while: a control for the tests, which must then fail.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from syncd.core import (
    absorb,
    conclude,
    decide,
    depart,
    dependencies,
    doubt,
    folds,
    force,
    held,
    news,
    plan,
    receipt,
    resolve,
    subject,
    truth,
    unite,
    views,
)
from syncd.core.doubt import Proof, Step
from syncd.core.model import Known, Op
from syncd.core.native import ABSENT
from tests.core.world_daemon import Daemon
from tests.core.world_platform import Spec
from tests.core.world_rules import rules

take_back, tally, merge = absorb.take_back, folds.tally, folds.merge
next_step, judge_found = doubt.next_step, doubt.judge_found


def means_what_is_stored(field, record, platform, known, stored, *, mine) -> None:
    take_back(field, record, platform, known, stored, mine=mine)
    known.means = known.raw


def counts_at_first_contact(field, truth, record, platform, known, value) -> None:
    if known.base is None and field.name in record.golden and known.known is not Known.NULL:
        folds.count(field, record, value)
    else:
        tally(field, truth, record, platform, known, value)


def merges_with_golden(field, truth, record, platform, known, value) -> None:
    if field.name in record.golden:
        known.raw = known.means = record.golden[field.name].value
    merge(field, truth, record, platform, known, value)


def just_removed(field, known, value):
    return folds.folds(field, known.raw) - folds.folds(field, value)


def resends_creates(attempt, abilities):
    return Step.RESEND if attempt.write.op is Op.CREATE and abilities.keyed else next_step(attempt, abilities)


def found_is_a_stranger(attempt, found, abilities, now):
    proof = judge_found(attempt, found, abilities, now)
    return Proof.UNKNOWN if proof is Proof.DONE else proof


def theirs_first(field, lead, rest):
    return rest.golden.get(field.name) or lead.golden.get(field.name)


def had_once(space, entity, key):
    return [space.records[number] for number in sorted(space.keys.get(key, ()))]


def any_word(entity, platform, name, known):
    return views.as_operand(entity.fields[name].type, known.means) if known is not None else ABSENT


def frozen_at_once(space, record, subject, freeze, look):
    golden = record.golden.get(subject.name)
    return "frozen" if golden is not None and golden.who is not None else ""


def folds_always(field, truth, *, frozen):
    return folds.acting(field, truth, frozen=False)


def reads_instead(attempt, abilities):
    return next_step(attempt, replace(abilities, keyed=False))


def last_branch(truth, look, now):
    return truth.branches[-1], ""


def nothing(*_: Any, **__: Any) -> str:
    return ""


def nobody(*_: Any, **__: Any) -> set[str]:
    return set()


def no(*_: Any, **__: Any) -> bool:
    return False


def yes(*_: Any, **__: Any) -> bool:
    return True


SWITCHES: dict[str, tuple[tuple[Any, str, Any], ...]] = {
    "own": ((subject, "may_vote", yes),),  # R1
    "means": ((absorb, "take_back", means_what_is_stored),),  # R2
    "resent": ((absorb, "is_resent", no),),  # R3
    "resent as means": ((plan, "resent_value", lambda known: known.raw),),  # R3
    "defer": ((decide, "is_in_flight", no),),  # R4
    "explain": ((receipt, "explained", no), (doubt, "explained", no), (absorb, "explained", no)),  # R5.3
    "twice": ((receipt, "is_twice", no), (absorb, "confirms", no)),  # R5.4
    "found is ours": ((doubt, "judge_found", found_is_a_stranger),),  # R6
    "as of": ((news, "started_later", yes),),  # R7
    "strictly later": ((news, "is_later", yes),),  # R7
    "partial": ((news, "is_enough", yes), (news, "is_whole", yes)),  # R8
    "returning ids": ((Spec, "numbered", property(lambda s: "versions" in s.traits)), (news, "is_new_life", no)),  # R9
    "interval": ((absorb, "earliest", lambda before, hi: hi),),  # R10
    "tick": ((resolve, "coarsest_tick", lambda entity, platforms: 0),),  # R11
    "golden stands": ((truth, "golden_vote", lambda case, found: None),),  # R12
    "invalid there": ((held, "is_invalid", no),),  # R13
    "blank there": ((held, "is_passed_blank", no),),  # R13
    "empty group": ((subject, "is_empty_group", lambda parts: any(k.means is None for k in parts)),),  # R14
    "whole group": ((plan, "whole_groups", no), (held, "why_held", held.reason)),  # R14
    "cleared": ((subject, "was_cleared", yes),),  # R15
    "stale there": ((held, "is_unread", no),),  # R16
    "own base": ((folds, "merge", merges_with_golden),),  # R17
    "fold members": ((folds, "fold", lambda field, member: member),),  # R18
    "respelt members": ((folds, "removed", just_removed),),  # R18
    "unclear members": ((absorb, "is_unclear", no),),  # R18
    "first count": ((folds, "tally", counts_at_first_contact),),  # R19
    "seed": ((folds, "is_better_seed", no),),  # R19
    "counted meanwhile": ((absorb, "counted_meanwhile", lambda *_: 0),),  # R20
    "countable": ((held, "is_countable", yes), (Spec, "counts", property(yes))),  # R21
    "key decides": ((doubt, "next_step", reads_instead),),  # R22
    "not yet": ((doubt, "over", yes),),  # R23
    "find after crash": ((doubt, "next_step", resends_creates),),  # R24
    "find": ((plan, "proof_of_absence", lambda *_: ""),),  # R24
    "epoch": ((Daemon, "new_epoch", False),),  # R25
    "before": ((receipt, "is_before", no), (doubt, "is_before", no)),  # R26
    "gone by key": ((plan, "gone_by_key", yes),),  # R27
    "read both": ((decide, "must_read_both", no),),  # R27
    "decided scan": ((Daemon, "defer_until_decided", False),),  # R28
    "last word": ((depart, "is_last_word", yes), (Daemon, "reads_absent", False)),  # R29
    "outlived": ((decide, "is_outlived", no),),  # R30
    "ghost": ((decide, "is_ghost", no),),  # R30
    "nowhere": ((conclude, "is_nowhere", no),),  # R31
    "rebase": ((Daemon, "rebased", False),),  # R32
    "spoken": ((truth, "has_spoken", yes),),  # R33
    "kept": ((held, "is_kept", no),),  # R34
    "united": ((unite, "is_wanted", no),),  # H36
    "counted once": ((unite, "golden_of_both", theirs_first),),  # H36
    "followed": ((unite, "is_followed", no),),  # H36
    "key asks": ((unite, "is_wanted", yes),),  # H37
    "key waits": ((unite, "ask_which", no),),  # H37
    "key now": ((decide, "having", had_once),),  # H37
    "unique": ((decide, "without_doubles", lambda space, entity, change, record, readings: readings),),
    "apart": ((unite, "is_apart", no),),
    "provisional": ((truth.Case, "silent", property(lambda case: case.golden is None or case.golden.who is None)),),  # R35
    # the rule language
    "branch": ((force, "branch_in", last_branch), (resolve, "branch_in", last_branch)),
    "own words in expressions": ((views, "own_word", any_word),),  # R1
    "freeze": ((force, "frozen_by", nothing),),
    "frozen folds": ((absorb, "acting", folds_always),),
    "provisional is free": ((force, "frozen_by", frozen_at_once),),  # R35
    "suspended": ((subject, "suspension", nothing), (resolve, "suspension", nothing)),
    "suspended there": ((held, "doubtful", nothing),),  # R13
    "scope": ((decide, "beyond", lambda *_: None),),
    "kept is over": ((conclude, "forget_kept", nothing),),  # R34
    "made where": ((plan, "not_made", nothing),),
    "conditions": ((decide, "checked", lambda entity, readings, shadow, now: readings),),
    "followers": ((resolve, "followers", nobody), (absorb, "followers", nobody)),
    "raw followers": ((absorb, "raw_followers", nobody),),
    "order of subjects": ((dependencies, "in_order", lambda needs: sorted(needs, reverse=True)),),
    "stale in formulas": ((resolve, "stale_ones", lambda *_: frozenset()),),
}


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Switch rules off."""
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            for place, attribute, value in SWITCHES[name]:
                patch.setattr(place, attribute, value)
        rules.cache_clear()
        yield
    rules.cache_clear()
