"""What each rule makes of each reading: tables of cases, each played as a rule test with its hidden checks."""

from pathlib import Path

import pytest

from syncd.config.load import load
from syncd.connectors.registry import KINDS
from syncd.daemon.rehearse import rehearse
from tests.config.folders import write

FIELDS = {  # on the platforms a, b and c, under its own name where nothing else is said
    "o_keep": "type: string, truth: {owner: a, if_null: keep}",
    "p_keep": "type: string, truth: {priority: [a, b], if_null: keep}",
    "o_clear": "type: string, truth: {owner: a, if_null: clear}",
    "p_clear": "type: string, truth: {priority: [a, b], if_null: clear}",
    "o_next": "type: string, truth: {owner: a, if_null: next}",
    "p_next": "type: string, truth: {priority: [a, b], if_null: next}",
    "o_hold": "type: string, truth: {owner: a, if_null: hold}",
    "p_hold": "type: string, truth: {priority: [a, b], if_null: hold}",
    "o_constdflt": "type: string, truth: {owner: a, if_null: {const: dflt}}",
    "p_constdflt": "type: string, truth: {priority: [a, b], if_null: {const: dflt}}",
    "o_useb": "type: string, truth: {owner: a, if_null: {use: b}}",
    "p_useb": "type: string, truth: {priority: [a, b], if_null: {use: b}}",
    "i_keep": "type: integer, truth: {priority: [a, b], if_invalid: keep}",
    "s_keep": "type: integer, truth: {priority: [a, b], if_stale: keep}",
    "os_keep": "type: integer, truth: {owner: a, if_stale: keep}",
    "oi_keep": "type: integer, truth: {owner: a, if_invalid: keep}",
    "i_next": "type: integer, truth: {priority: [a, b], if_invalid: next}",
    "s_next": "type: integer, truth: {priority: [a, b], if_stale: next}",
    "os_next": "type: integer, truth: {owner: a, if_stale: next}",
    "oi_next": "type: integer, truth: {owner: a, if_invalid: next}",
    "i_hold": "type: integer, truth: {priority: [a, b], if_invalid: hold}",
    "s_hold": "type: integer, truth: {priority: [a, b], if_stale: hold}",
    "os_hold": "type: integer, truth: {owner: a, if_stale: hold}",
    "oi_hold": "type: integer, truth: {owner: a, if_invalid: hold}",
    "m_max": "type: integer, truth: {merge: max, from: [a, b]}",
    "m_min": "type: integer, truth: {merge: min, from: [a, b]}",
    "m_sum": "type: integer, truth: {merge: sum, from: [a, b]}",
    "m_longest": "type: string, truth: {merge: longest, from: [a, b]}",
    "m_earliest": "type: date, truth: {merge: earliest, from: [a, b]}",
    "m_latest": "type: date, truth: {merge: latest, from: [a, b]}",
    "m_any": "type: boolean, truth: {merge: any, from: [a, b]}",
    "m_all": "type: boolean, truth: {merge: all, from: [a, b]}",
    "m_union": "type: set(string), truth: {merge: union, from: [a, b]}",
    "m_intersection": "type: set(string), truth: {merge: intersection, from: [a, b]}",
    "m_delta": "type: integer, truth: {merge: delta, from: [a, b]}",
    "m_uign": "type: set(string), truth: {merge: union, from: [a, b], removals: ignore}",
    "m_maxnext": "type: integer, truth: {merge: max, from: [a, b], if_null: next}",
    "m_maxc": "type: integer, truth: {merge: max, from: [a, b], if_null: {const: 0}}",
    "nw": "type: string, truth: {newest: [a, b], skew: 10s}",
    "nt": "type: string, truth: {newest: [a, b], skew: 10s, tie: [b]}",
    "nd": "type: string, truth: {newest: [a, b]}",
    "cs": (
        'type: string, truth: [{when: "a.cs == \'secret\'", const: hid}, {when: "b.raw.locked", owner: b}, {owner: a, '
        "if_null: clear}]"
    ),
    "cg": "type: string, truth: [{when: \"golden.cs == 'hid'\", const: G}, {owner: a}]",
    "cn": 'type: string, truth: [{when: "days_since(b.raw.seen) > 30", const: old}, {owner: a}], map: {a: cn}',
    "f_true": "type: string, truth: {owner: a, freeze: true}",
    "f_until": "type: string, truth: {owner: a, freeze: {until: 2026-06-01}}",
    "f_when": 'type: string, truth: {owner: a, freeze: {when: "b.raw.pub != null"}}',
    "f_first": "type: string, truth: {owner: a, freeze: {after_first: true}}",
    "ma": "type: string, truth: {manual: true, propose: a, reviewers: [t]}",
    "mb": "type: string, truth: {manual: true, reviewers: [t]}",
    "ex": 'type: decimal(0), truth: {expr: "round(a.raw.w * 1000)"}, map: {b: ex}',
    "co": "type: string, truth: {const: fix}, map: {b: co, c: co}",
    "ex2": 'type: decimal(1), truth: {expr: "a.raw.w", if_null: clear}, map: {b: ex2}',
    "mx": "type: decimal(2), truth: a, check: {min: 0.01, max: 100, max_step: 30%}",
    "ck": 'type: string, truth: {owner: a, if_invalid: keep}, check: {pattern: "^[A-Z]+$", min_length: 2, max_length: 4}',
    "ce": 'type: integer, truth: a, check: {expr: "value % 2 == 0"}',
    "bl": "type: string, truth: a, blank_is_value: true",
    "eq": "type: string, truth: a, equal: casefold",
    "mo": "type: string, truth: a, mode: observe",
    "wr": "type: string, truth: a, writes: [b]",
    "di": "type: string, truth: a, map: {a: di, b: {path: di, direction: in}, c: {path: di, direction: out}}",
    "sk": "type: string, truth: a, stray_edits: keep",
    "sr": "type: string, truth: a, stray_edits: review",
    "street": "type: string, group: g",
    "city": "type: string, group: g",
    "street2": "type: string, group: g2, map: {a: street2, b: street2}",
    "city2": "type: string, group: g2, map: {a: city2, b: city2}",
}
GROUPS = """groups:
  g: {truth: {newest: [a, b], skew: 2s, tie: [a]}}
  g2: {truth: {priority: [a, b], if_null: next, if_invalid: keep}}
"""
CASES = {
    "owner keep null": "base: {k: x, o_keep: old}, given: {a: {o_keep: null}}, expect: {golden: {o_keep: old}, writes: {}}",
    "owner keep empty text": (
        'base: {k: x, o_keep: old}, given: {a: {o_keep: ""}}, expect: {golden: {o_keep: old}, writes: {}}'
    ),
    "owner keep value": (
        "base: {k: x, o_keep: old}, given: {a: {o_keep: new}}, expect: {golden: {o_keep: new}, writes: {b: {o_keep: "
        "new}, c: {o_keep: new}}, decided_by: {o_keep: owner}, stray_edits: [], conflicts: []}"
    ),
    "owner clear null": (
        "base: {k: x, o_clear: old}, given: {a: {o_clear: null}}, expect: {golden: {o_clear: null}, writes: {b: "
        "{o_clear: null}, c: {o_clear: null}}}"
    ),
    "owner hold null": (
        "base: {k: x, o_hold: old}, given: {a: {o_hold: null}}, expect: {golden: {o_hold: old}, writes: {}, "
        "conflicts: [o_hold]}"
    ),
    "owner const null": (
        "base: {k: x, o_constdflt: old}, given: {a: {o_constdflt: null}}, expect: {golden: {o_constdflt: dflt}, "
        "writes: {b: {o_constdflt: dflt}, c: {o_constdflt: dflt}}}"
    ),
    "owner use null": (
        "base: {k: x, o_useb: old}, given: {a: {o_useb: null}, b: {o_useb: bee}}, expect: {golden: {o_useb: bee}}"
    ),
    "owner use null b unchanged": "base: {k: x, o_useb: old}, given: {a: {o_useb: null}}, expect: {golden: {o_useb: old}}",
    "owner keep first contact null": (
        "given: {a: {k: x, o_keep: null}, b: {k: x, o_keep: bee}}, expect: {golden: {o_keep: bee}}"
    ),
    "owner clear first contact null": (
        "given: {a: {k: x, o_clear: null}, b: {k: x, o_clear: bee}}, expect: {golden: {o_clear: bee}}"
    ),
    "stray": (
        "base: {k: x, o_keep: old}, given: {b: {o_keep: bee}}, expect: {golden: {o_keep: old}, stray_edits: "
        "[b.o_keep], writes: {b: {o_keep: old}}}"
    ),
    "absent": "base: {k: x, o_keep: old}, given: {a: {}}, expect: {golden: {o_keep: old}, writes: {}, writes_total: 0}",
    "invalid": (
        "base: {k: x, o_keep: old}, given: {a: {o_keep: [1]}}, expect: {golden: {o_keep: old}, writes: {}, conflicts: [o_keep]}"
    ),
    "prio a": (
        "base: {k: x, p_keep: old}, given: {a: {p_keep: A}, b: {p_keep: B}}, expect: {golden: {p_keep: A}, "
        "stray_edits: [b.p_keep]}"
    ),
    "prio null keep": (
        "base: {k: x, p_keep: old}, given: {a: {p_keep: null}, b: {p_keep: B}}, expect: {golden: {p_keep: old}}"
    ),
    "prio null next": (
        "base: {k: x, p_next: old}, given: {a: {p_next: null}, b: {p_next: B}}, expect: {golden: {p_next: B}, writes:"
        " {a: {p_next: B}, c: {p_next: B}}}"
    ),
    "prio null hold": (
        "base: {k: x, p_hold: old}, given: {a: {p_hold: null}, b: {p_hold: B}}, expect: {golden: {p_hold: old}, "
        "conflicts: [p_hold]}"
    ),
    "prio null clear": (
        "base: {k: x, p_clear: old}, given: {a: {p_clear: null}, b: {p_clear: B}}, expect: {golden: {p_clear: null}}"
    ),
    "prio null const": (
        "base: {k: x, p_constdflt: old}, given: {a: {p_constdflt: null}, b: {p_constdflt: B}}, expect: {golden: "
        "{p_constdflt: dflt}}"
    ),
    "prio absent goes on": "given: {a: {k: x}, b: {k: x, p_keep: B}}, expect: {golden: {p_keep: B}}",
    "prio not linked goes on": "given: {b: {k: x, p_keep: B}}, expect: {golden: {p_keep: B}}",
    "inv keep": (
        "base: {k: x, i_keep: 1}, given: {a: {i_keep: abc}, b: {i_keep: 7}}, expect: {golden: {i_keep: 1}, conflicts: []}"
    ),
    "inv next": (
        "base: {k: x, i_next: 1}, given: {a: {i_next: abc}, b: {i_next: 7}}, expect: {golden: {i_next: 7}, conflicts:"
        " [], writes: {c: {i_next: 7}}}"
    ),
    "inv hold": (
        "base: {k: x, i_hold: 1}, given: {a: {i_hold: abc}, b: {i_hold: 7}}, expect: {golden: {i_hold: 1}, conflicts:"
        " [i_hold], writes: {}}"
    ),
    "stale keep": ("base: {k: x, s_keep: 1}, given: {a: stale, b: {s_keep: 7}}, expect: {golden: {s_keep: 1}, conflicts: []}"),
    "stale next": ("base: {k: x, s_next: 1}, given: {a: stale, b: {s_next: 7}}, expect: {golden: {s_next: 7}, conflicts: []}"),
    "stale hold": (
        "base: {k: x, s_hold: 1}, given: {a: stale, b: {s_hold: 7}}, expect: {golden: {s_hold: 1}, conflicts: [], writes: {}}"
    ),
    "own stale keep": (
        "base: {k: x, os_keep: 1}, given: {a: stale, b: {os_keep: 7}}, expect: {golden: {os_keep: 1}, conflicts: []}"
    ),
    "own stale hold": (
        "base: {k: x, os_hold: 1}, given: {a: stale, b: {os_hold: 7}}, expect: {golden: {os_hold: 1}, conflicts: [], "
        "writes: {}, held: [b.os_hold]}"
    ),
    "own inv keep": (
        "base: {k: x, oi_keep: 1}, given: {a: {oi_keep: abc}}, expect: {golden: {oi_keep: 1}, conflicts: [], writes: {}}"
    ),
    "own inv next": (
        "base: {k: x, oi_next: 1}, given: {a: {oi_next: abc}}, expect: {golden: {oi_next: 1}, conflicts: [], writes: {}}"
    ),
    "max": (
        "base: {k: x, m_max: 5}, given: {a: {m_max: 7}, b: {m_max: 6}}, expect: {golden: {m_max: 7}, decided_by: {m_max: max}}"
    ),
    "max lower both": "base: {k: x, m_max: 5}, given: {a: {m_max: 2}, b: {m_max: 3}}, expect: {golden: {m_max: 3}}",
    "max blank not 0": "base: {k: x, m_max: -5}, given: {a: {m_max: null}, b: {m_max: -7}}, expect: {golden: {m_max: -7}}",
    "min blank not 0": "base: {k: x, m_min: 5}, given: {a: {m_min: null}, b: {m_min: 6}}, expect: {golden: {m_min: 6}}",
    "sum": "base: {k: x}, given: {a: {m_sum: 7}, b: {m_sum: 6}}, expect: {golden: {m_sum: 13}}",
    "a sum is not written over its parts": (
        "base: {k: x, m_sum: 3}, given: {a: {m_sum: 7}, b: {m_sum: 6}}, expect: {writes: {c: {m_sum: 13}}}"
    ),
    "longest": (
        "base: {k: x, m_longest: ab}, given: {a: {m_longest: abc}, b: {m_longest: abcd}}, expect: {golden: {m_longest: abcd}}"
    ),
    "earliest": (
        'base: {k: x}, given: {a: {m_earliest: "2026-01-02"}, b: {m_earliest: "2026-01-01"}}, expect: {golden: '
        "{m_earliest: 2026-01-01}}"
    ),
    "latest": (
        'base: {k: x}, given: {a: {m_latest: "2026-01-02"}, b: {m_latest: "2026-01-01"}}, expect: {golden: {m_latest:'
        " 2026-01-02}}"
    ),
    "any": "base: {k: x, m_any: false}, given: {a: {m_any: true}, b: {m_any: false}}, expect: {golden: {m_any: true}}",
    "all": "base: {k: x, m_all: true}, given: {a: {m_all: true}, b: {m_all: false}}, expect: {golden: {m_all: false}}",
    "union add remove": (
        "base: {k: x, m_union: [s, t]}, given: {a: {m_union: [s]}, b: {m_union: [s, t, n]}}, expect: {golden: "
        "{m_union: [n, s]}, writes: {a: {m_union: [n, s]}, b: {m_union: [n, s]}, c: {m_union: [n, s]}}}"
    ),
    "union ignore": (
        "base: {k: x, m_uign: [s, t]}, given: {a: {m_uign: [s]}, b: {m_uign: [s, t, n]}}, expect: {golden: {m_uign: [n, s, t]}}"
    ),
    "union invalid holds": (
        "base: {k: x, m_union: [s]}, given: {a: {m_union: [1]}, b: {m_union: [s, n]}}, expect: {conflicts: [m_union]}"
    ),
    "union first contact": ("base: {k: x}, given: {a: {m_union: [s]}, b: {m_union: [t]}}, expect: {golden: {m_union: [s, t]}}"),
    "inters": (
        "base: {k: x}, given: {a: {m_intersection: [s, u]}, b: {m_intersection: [t, u]}}, expect: {golden: "
        "{m_intersection: [u]}}"
    ),
    "delta": (
        "base: {k: x, m_delta: 10}, given: {a: {m_delta: 9}, b: {m_delta: 8}}, expect: {golden: {m_delta: 7}, "
        "decided_by: {m_delta: delta}}"
    ),
    "delta once": (
        "base: {k: x, m_delta: 10}, given: {a: {m_delta: 9}}, expect: {golden: {m_delta: 9}, writes_total: 2}, repeat: 2"
    ),
    "delta first sight": "given: {a: {k: x, m_delta: 10}, b: {k: x, m_delta: 4}}, expect: {golden: {m_delta: 10}}",
    "delta first sight 2": "given: {b: {k: x, m_delta: 4}}, expect: {golden: {m_delta: 4}}",
    "delta null": "base: {k: x, m_delta: 10}, given: {a: {m_delta: null}, b: {m_delta: 9}}, expect: {golden: {m_delta: 9}}",
    "newest later": (
        "base: {k: x, nw: o}, given: {a: {nw: A, at: -2h}, b: {nw: B, at: -1h}}, expect: {golden: {nw: B}, "
        "decided_by: {nw: newest}}"
    ),
    "newest inside": (
        "base: {k: x, nw: o}, given: {a: {nw: A, at: -62s}, b: {nw: B, at: -60s}}, expect: {conflicts: [nw], writes: "
        "{}, golden: {nw: o}}"
    ),
    "newest inside same": (
        "base: {k: x, nw: o}, given: {a: {nw: A, at: -62s}, b: {nw: A, at: -60s}}, expect: {conflicts: [], golden: {nw: A}}"
    ),
    "newest tie": (
        "base: {k: x, nt: o}, given: {a: {nt: A, at: -58s}, b: {nt: B, at: -60s}}, expect: {conflicts: [], golden: {nt: B}}"
    ),
    "newest default skew": (
        "base: {k: x, nd: o}, given: {a: {nd: A, at: -62s}, b: {nd: B, at: -60s}}, expect: {conflicts: [nd]}"
    ),
    "newest default skew ok": (
        "base: {k: x, nd: o}, given: {a: {nd: A, at: -64s}, b: {nd: B, at: -60s}}, expect: {golden: {nd: B}}"
    ),
    "newest one": "base: {k: x, nw: o}, given: {a: {nw: A}}, expect: {golden: {nw: A}}",
    "newest null keep": (
        "base: {k: x, nw: o}, given: {a: {nw: null, at: -10s}, b: {nw: B, at: -1h}}, expect: {golden: {nw: B}}"
    ),
    "newest null later": "base: {k: x, nw: o}, given: {a: {nw: null}}, expect: {golden: {nw: o}, writes: {}}",
    "newest outsider": "base: {k: x, nw: o}, given: {c: {nw: C}}, expect: {golden: {nw: o}, stray_edits: [c.nw]}",
    "case const": "base: {k: x, cs: o}, given: {a: {cs: secret}}, expect: {golden: {cs: hid}, decided_by: {cs: const}}",
    "case raw": (
        "base: {k: x, cs: o}, given: {b: {cs: B, locked: true}, a: {cs: A}}, expect: {golden: {cs: B}, decided_by: {cs: owner}}"
    ),
    "case raw base": (
        "base: {k: x, cs: o, b.raw.locked: true}, given: {a: {cs: A}}, expect: {golden: {cs: o}, stray_edits: [a.cs]}"
    ),
    "case last": "base: {k: x, cs: o}, given: {b: {cs: B}, a: {cs: A}}, expect: {golden: {cs: A}}",
    "case golden": "base: {k: x, cs: o, cg: o}, given: {a: {cs: secret}}, expect: {golden: {cs: hid, cg: G}}",
    "case now": 'base: {k: x}, given: {b: {seen: "2025-01-01"}}, expect: {golden: {cn: old}}, now: 2026-01-01T00:00:00Z',
    "case now2": 'base: {k: x}, given: {b: {seen: "2025-12-31"}}, expect: {golden: {cn: null}}, now: 2026-01-01T00:00:00Z',
    "freeze true": ("base: {k: x, f_true: o}, given: {a: {f_true: A}}, expect: {golden: {f_true: o}, stray_edits: [a.f_true]}"),
    "freeze true first": "given: {a: {k: x, f_true: A}}, expect: {golden: {f_true: A}}",
    "freeze until before": (
        "base: {k: x, f_until: o}, given: {a: {f_until: A}}, expect: {golden: {f_until: o}, stray_edits: "
        "[a.f_until]}, now: 2026-05-31T12:00:00Z"
    ),
    "freeze until after": (
        "base: {k: x, f_until: o}, given: {a: {f_until: A}}, expect: {golden: {f_until: A}}, now: 2026-06-01T00:00:00Z"
    ),
    "freeze when no": "base: {k: x, f_when: o}, given: {a: {f_when: A}}, expect: {golden: {f_when: A}}",
    "freeze when yes": (
        'base: {k: x, f_when: o, b.raw.pub: "2026"}, given: {a: {f_when: A}}, expect: {golden: {f_when: o}, '
        "stray_edits: [a.f_when]}"
    ),
    "freeze after first": "base: {k: x, f_first: o}, given: {a: {f_first: A}}, expect: {golden: {f_first: o}}",
    "freeze after first null": "base: {k: x}, given: {a: {f_first: A}}, expect: {golden: {f_first: A}}",
    "manual": "base: {k: x, ma: o}, given: {a: {ma: A}}, expect: {golden: {ma: o}, conflicts: [ma], writes: {}}",
    "manual b": "base: {k: x, mb: o}, given: {b: {mb: B}}, expect: {golden: {mb: o}, conflicts: [mb], writes: {}}",
    "expr": 'base: {k: x}, given: {a: {w: 1.5}}, expect: {golden: {ex: "1500"}, writes: {b: {ex: 1500, ex2: 1.5}}}',
    "expr null keep": 'base: {k: x, ex: "1500", a.raw.w: 1.5}, given: {a: {w: null}}, expect: {golden: {ex: "1500"}}',
    "expr null clear": 'base: {k: x, ex2: "1.5", a.raw.w: 1.5}, given: {a: {w: null}}, expect: {golden: {ex2: null}}',
    "const stray": (
        "base: {k: x, co: fix}, given: {b: {co: B}}, expect: {golden: {co: fix}, stray_edits: [b.co], decided_by: {co: const}}"
    ),
    "step": 'base: {k: x, mx: "10.00"}, given: {a: {mx: "16.00"}}, expect: {conflicts: [mx], writes: {}}',
    "step ok": 'base: {k: x, mx: "10.00"}, given: {a: {mx: "13.00"}}, expect: {golden: {mx: "13.00"}}',
    "step down": 'base: {k: x, mx: "10.00"}, given: {a: {mx: "6.99"}}, expect: {conflicts: [mx]}',
    "min": 'base: {k: x, mx: "10.00"}, given: {a: {mx: 0}}, expect: {conflicts: [mx], golden: {mx: "10.00"}}',
    "pat": "base: {k: x, ck: AB}, given: {a: {ck: ab}}, expect: {conflicts: [], golden: {ck: AB}, writes: {}}",
    "len": "base: {k: x, ck: AB}, given: {a: {ck: ABCDE}}, expect: {conflicts: [], golden: {ck: AB}}",
    "len ok": "base: {k: x, ck: AB}, given: {a: {ck: ABCD}}, expect: {golden: {ck: ABCD}}",
    "expr ok": "base: {k: x, ce: 2}, given: {a: {ce: 4}}, expect: {golden: {ce: 4}}",
    "expr bad": "base: {k: x, ce: 2}, given: {a: {ce: 5}}, expect: {conflicts: [ce]}",
    "blank value": (
        'base: {k: x, bl: o}, given: {a: {bl: ""}}, expect: {golden: {bl: ""}, writes: {b: {bl: ""}, c: {bl: ""}}}'
    ),
    "casefold no drift": "base: {k: x, eq: Mug}, given: {b: {eq: MUG}}, expect: {writes: {}, golden: {eq: Mug}}",
    "casefold owner": "base: {k: x, eq: Mug}, given: {a: {eq: MUG}}, expect: {writes: {}}",
    "writes": "base: {k: x, wr: o}, given: {a: {wr: n}}, expect: {writes: {b: {wr: n}}}",
    "mode": "base: {k: x, mo: o}, given: {a: {mo: n}}, expect: {golden: {mo: n}, writes: {}}",
    "dir": "base: {k: x, di: o}, given: {a: {di: n}, b: {di: z}}, expect: {golden: {di: n}, writes: {c: {di: n}}}",
    "stray keep": "base: {k: x, sk: o}, given: {b: {sk: z}}, expect: {golden: {sk: o}, writes: {}, stray_edits: [b.sk]}",
    "stray review": "base: {k: x, sr: o}, given: {b: {sr: z}}, expect: {golden: {sr: o}, writes: {}, conflicts: [sr]}",
    "group": (
        "base: {k: x, street: s, city: c}, given: {a: {street: S, at: -2h}, b: {city: C, at: -1h}}, expect: {golden: "
        "{street: s, city: C}, writes: {a: {street: s, city: C}, c: {street: s, city: C}}}"
    ),
    "group null member": (
        "base: {k: x, street2: s, city2: c}, given: {a: {street2: null}}, expect: {golden: {street2: null, city2: c}}"
    ),
    "group null all": (
        "base: {k: x, street2: s, city2: c}, given: {a: {street2: null, city2: null}, b: {city2: B}}, expect: "
        "{golden: {street2: s, city2: B}}"
    ),
    "group invalid": (
        "base: {k: x, street2: s, city2: c}, given: {a: {street2: 5, city2: D}}, expect: {golden: {street2: s, city2:"
        " c}, conflicts: []}"
    ),
}
TYPES = [  # type, what the platform says, golden (None: it does not fit)
    ("integer", "5", "5"),
    ("integer", '"5"', "5"),
    ("integer", '"5.0"', None),
    ("integer", "5.5", None),
    ("integer", "true", None),
    ("integer", '"abc"', None),
    ("integer", "9223372036854775807", "9223372036854775807"),
    ("integer", "9223372036854775808", None),
    ("integer", "-9223372036854775808", "-9223372036854775808"),
    ("integer", '"1e3"', None),
    ("integer", '"-5"', "-5"),
    ("integer", '" 5"', None),
    ("integer", '"٥"', None),
    ("integer", "[5]", None),
    ("decimal(2)", "5", '"5.00"'),
    ("decimal(2)", '"5.5"', '"5.50"'),
    ("decimal(2)", "5.55", '"5.55"'),
    ("decimal(2)", "5.555", None),
    ("decimal(2)", '"5,5"', None),
    ("decimal(2)", "true", None),
    ("decimal(2)", '"NaN"', None),
    ("decimal(2)", '"Infinity"', None),
    ("decimal(2)", '"5.550"', '"5.55"'),
    ("decimal(2)", "{a: 1}", None),
    ("boolean", "true", "true"),
    ("boolean", "false", "false"),
    ("boolean", '"yes"', None),
    ("boolean", "2", None),
    ("datetime", '"2026-01-02T03:04:05Z"', '"2026-01-02T03:04:05Z"'),
    ("datetime", '"2026-01-02T03:04:05+02:00"', '"2026-01-02T01:04:05Z"'),
    ("datetime", '"2026-01-02T03:04:05"', '"2026-01-02T03:04:05Z"'),
    ("datetime", '"2026-13-02T03:04:05Z"', None),
    ("datetime", '"tomorrow"', None),
    ("datetime", "5", None),
    ("datetime", "true", None),
    ("date", '"2026-01-02"', "2026-01-02"),
    ("date", '"2026-02-30"', None),
    ("date", '"02.01.2026"', None),
    ("date", "20260102", None),
    ("set(string)", "[b, a]", "[a, b]"),
    ("set(string)", "[a, a]", "[a]"),
    ("set(string)", "a", None),
    ("set(string)", "[1]", None),
    ("set(string)", "[]", "[]"),
    ("{enum: [x, y]}", "x", "x"),
    ("{enum: [x, y]}", "z", None),
    ("{enum: [x, y]}", "X", None),
    ("email", "a@b.de", "a@b.de"),
    ("json", "{a: [1, 2.5, null]}", "{a: [1, 2.5, null]}"),
    ("url", '"https://x.de/a"', '"https://x.de/a"'),
    ("text", "5", None),
    ("text", "true", None),
    ("text", '"a\\0b"', None),
    ("money", '"12.50"', '"12.50"'),
    ("phone", '"+4930123456"', '"+4930123456"'),
]


def folder_of(path: Path, fields: dict[str, str], tests: str, groups: str = "") -> Path:
    """Write a folder with these fields on three platforms, and these rule tests."""
    lines_of = [
        f"  {name}: {{{text}{'' if 'map:' in text else f', map: {{a: {name}, b: {name}, c: {name}}}'}}}"
        for name, text in fields.items()
    ]
    entity = f"""entity: thing
in:
  a: {{collection: things, create: true}}
  b: {{collection: things, create: true}}
  c: {{collection: things, create: true}}
identity: {{key: k}}
{groups}fields:
  k: {{type: string, truth: {{priority: [a, b, c]}}, map: {{a: k, b: k, c: k}}}}
"""
    files = {"syncd.yaml": "version: 1\n", "tests/rules.yaml": f"entity: thing\ntests:\n{tests}"}
    files["entities/thing.yaml"] = entity + "\n".join(lines_of) + "\n"
    for name in "abc":
        text = f"platform: {name}\nconnector: memory\nmode: enforce\ncollections: {{things: {{id: id, version: ver}}}}\n"
        files[f"platforms/{name}.yaml"] = text
    return write(path, files)


def differences(folder: Path) -> list[str]:
    """Return what is said of the tests that fail."""
    found = load(folder, KINDS, environ={"HOME": "/home/tester"})
    assert [one.text() for one in found.errors] == []
    assert found.config is not None
    tests = [one for each in found.tests.values() for one in each]
    return [str(one) for result in rehearse(found.config.rules, tests) for one in result.differences]


@pytest.mark.parametrize("name", CASES)
def test_a_reading(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    assert differences(folder_of(tmp_path, FIELDS, f"  - {{name: {name}, {case}}}\n", GROUPS)) == []


@pytest.mark.parametrize(("kind", "raw", "golden"), TYPES)
def test_a_type(tmp_path: Path, kind: str, raw: str, golden: str | None) -> None:
    expect = f"{{golden: {{f: {'null' if golden is None else golden}}}, conflicts: [{'f' if golden is None else ''}]}}"
    test = f"  - {{name: a value, base: {{k: x}}, given: {{a: {{f: {raw}}}}}, expect: {expect}}}\n"
    assert differences(folder_of(tmp_path, {"f": f"type: {kind}, truth: a"}, test)) == []
