"""Fixed timelines, each with its control: with the rule switched off the same timeline breaks a law or ends wrong."""

from collections.abc import Callable

import pytest

from tests.core import timelines_of_identity as identity
from tests.core import timelines_of_mix as mix
from tests.core import timelines_of_model as model
from tests.core import timelines_of_rules as rules
from tests.core.switches import without
from tests.core.world_daemon import Breach

TIMELINES: dict[Callable[[], bool], tuple[str, ...]] = {
    model.lying: ("last word", "gone by key"),
    model.epoch: ("epoch",),
    model.late_first: ("find after crash",),
    model.late_event: ("ghost",),
    model.owner_blank: ("blank there",),
    model.pages: ("decided scan",),
    model.resend: ("resent",),
    model.late_page: ("as of",),
    model.partial: ("partial",),
    model.ratchet: ("own",),
    model.kept: ("kept",),
    model.capture: ("own",),
    model.interval: ("interval",),
    model.members: ("fold members", "respelt members"),
    model.adjusted: ("counted meanwhile",),
    model.zombie: ("not yet",),
    model.golden_stands: ("golden stands",),
    model.ticks: ("tick",),
    model.whole_group: ("whole group",),
    model.relink: ("read both",),
    model.first_count: ("first count",),
    model.ghost: ("ghost",),
    model.echo: ("defer",),
    model.restore: ("rebase",),
    model.rule_change: ("spoken",),
    rules.respelt: ("means",),
    rules.resent_through_normaliser: ("resent as means",),
    rules.explained: ("explain",),
    rules.twice: ("twice",),
    rules.found_is_ours: ("found is ours",),
    rules.strictly_later: ("strictly later",),
    rules.returning_id: ("returning ids",),
    rules.invalid_there: ("invalid there",),
    rules.empty_group: ("empty group",),
    rules.first_blank: ("cleared",),
    rules.stale_there: ("stale there",),
    rules.own_base: ("own base",),
    rules.seed: ("seed",),
    rules.countable: ("countable",),
    rules.find: ("find",),
    rules.before: ("before",),
    rules.gone_by_key: ("gone by key",),
    rules.nowhere: ("nowhere",),
    rules.provisional: ("provisional",),
    rules.outlived: ("outlived",),
    rules.spelt_anew: ("fold members",),
    rules.cut_member: ("respelt members",),
    rules.unclear_member: ("unclear members",),
    rules.last_word: ("last word",),
    mix.branch: ("branch",),
    mix.own_words: ("own words in expressions",),
    mix.frozen: ("freeze",),
    mix.frozen_count: ("frozen folds",),
    mix.provisional_is_free: ("provisional is free",),
    mix.import_of_b: ("suspended",),
    mix.import_is_left: ("suspended there",),
    mix.scope: ("scope",),
    mix.made_where: ("made where",),
    mix.condition: ("conditions",),
    mix.follows: ("followers",),
    mix.follows_raw: ("raw followers",),
    mix.in_order: ("order of subjects",),
    mix.stale_formula: ("stale in formulas",),
    mix.coincidence: ("key decides",),
    mix.kept_is_over: ("kept is over",),
    identity.keys_come_later: ("united",),
    identity.counted_once: ("counted once",),
    identity.merge_is_followed: ("followed",),
    identity.no_silent_merge: ("key asks",),
    identity.not_written_meanwhile: ("key waits",),
    identity.old_key_is_free: ("key now",),
    identity.value_of_another: ("unique",),
    identity.kept_apart: ("apart",),
}


def name_of(timeline: object) -> str:
    return getattr(timeline, "__name__", str(timeline))


@pytest.mark.parametrize("timeline", TIMELINES, ids=name_of)
def test_a_timeline_ends_well(timeline: Callable[[], bool]) -> None:
    assert timeline()


@pytest.mark.parametrize("timeline", TIMELINES, ids=name_of)
def test_without_its_rule_the_same_timeline_goes_wrong(timeline: Callable[[], bool]) -> None:
    with without(*TIMELINES[timeline]):
        try:
            went_well = timeline()
        except Breach:
            went_well = False
    assert not went_well
