"""``syncd test``: do the rules do what their tests say?"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from syncd.cli import exits
from syncd.cli.answer import agreed, check_formats, give, note, say
from syncd.cli.command import Args, Command, Parser
from syncd.cli.flags import Flags
from syncd.cli.folder import find, load
from syncd.errors import ConfigError, SyncdError, UsageError

if TYPE_CHECKING:
    from syncd.config.model import Config, Loaded
    from syncd.config.ruletest import RuleTest
    from syncd.daemon.rehearse import Result


def parameters(parser: Parser) -> None:
    """Declare the parameters."""
    parser.add_argument("-k", metavar="TEXT", dest="text", help="only the tests with TEXT in their name or file")
    parser.add_argument("--coverage", action="store_true", help="name the rules that no test runs, and who runs the others")
    parser.add_argument("--junit", metavar="FILE", help="write the result as JUnit XML too")
    parser.add_argument("--watch", action="store_true", help="run again whenever a file of the config is saved")
    parser.add_argument("--update", action="store_true", help="rewrite what failing tests expect, after showing the difference")
    parser.add_argument("--yes", action="store_true", help="rewrite without asking")


def test(args: Args, flags: Flags) -> int:
    """Run the rule tests; exit 1 if one fails."""
    from syncd.reports.ruletests import SCHEMA

    check_formats(flags, SCHEMA)
    if args.watch and args.update:
        raise UsageError("--watch and --update do not go together\nsee: syncd test --help")
    if args.junit:
        flags.outputs.append((args.junit, "junit"))
    folder = find(flags.config)
    return watch(args, flags, folder) if args.watch else once(args, flags, folder)


def once(args: Args, flags: Flags, folder: str) -> int:
    """Run the tests of a folder once and print what came of them."""
    config, loaded = valid(folder)
    tests = chosen(loaded, args.text)
    results, seconds = run(config, tests)
    if args.update and update(results, yes=args.yes):
        config, loaded = valid(folder)
        results, seconds = run(config, chosen(loaded, args.text))
    show(args, flags, loaded, results, seconds)
    return exits.OK if all(one.ok for one in results) else exits.FAILED


def valid(folder: str) -> "tuple[Config, Loaded]":
    """Return the config; raises ConfigError with all that is wrong if there is an error."""
    loaded = load(folder)
    if loaded.config is None:
        raise ConfigError(f"the config in {folder} has errors; nothing was tested", loaded.errors)
    return loaded.config, loaded


def chosen(loaded: "Loaded", text: str | None) -> "list[RuleTest]":
    """Return the tests that are asked for; raises UsageError if none has the text."""
    tests = [test for each in loaded.tests.values() for test in each]
    if text is None or not tests:
        return tests
    wanted = text.casefold()
    found = [test for test in tests if wanted in test.name.casefold() or wanted in test.at.file.casefold()]
    if not found:
        raise UsageError(f'no test has "{text}" in its name or file; there are {len(tests)}')
    return found


def run(config: "Config", tests: "Sequence[RuleTest]") -> "tuple[list[Result], float]":
    """Return what came of the tests, and the seconds that they took."""
    from syncd.daemon.rehearse import rehearse

    began = time.perf_counter()
    results = rehearse(config.rules, tests)
    return results, time.perf_counter() - began


def show(args: Args, flags: Flags, loaded: "Loaded", results: "Sequence[Result]", seconds: float) -> None:
    """Print the result in the formats asked for."""
    from syncd.daemon.account import coverage, lines
    from syncd.reports import ruletests
    from syncd.reports.envelope import Origin

    assert loaded.config is not None
    rules = loaded.config.rules
    origin = Origin(time.time_ns() // 1000, loaded.environment or None, loaded.sha)
    document = ruletests.document(origin, lines(results, rules, loaded.texts), coverage(results, rules, loaded.texts), seconds)
    if not results and flags.format in (None, "table"):
        note(f"no tests: {Path(loaded.config.folder) / 'tests'} has no tests yet")
    give(flags, document, ruletests.layout(coverage=args.coverage))


# ---- --update


def update(results: "Sequence[Result]", *, yes: bool) -> bool:
    """Rewrite what failing tests expect, once the user has seen the difference and agreed; return whether it was done."""
    from difflib import unified_diff

    from syncd.config.testedit import rewritten
    from syncd.daemon.account import stale_expectations

    new: dict[str, str] = {}
    for file, changes in stale_expectations(results).items():
        old = Path(file).read_bytes().decode()
        new[file] = rewritten(old, changes)
        say("\n".join(unified_diff(old.splitlines(), new[file].splitlines(), file, f"{file} (updated)", lineterm="")) + "\n")
    if not new:
        note("every expectation is met: nothing to update")
        return False
    names = ", ".join(new)
    if not agreed(f"Rewrite what {names} expect{'s' if len(new) == 1 else ''}?", yes=yes):
        note("nothing was rewritten")
        return False
    for file, text in new.items():
        Path(file).write_bytes(text.encode())
    return True


# ---- --watch


def watch(args: Args, flags: Flags, folder: str) -> int:
    """Run the tests now and after each save, until Ctrl-C."""
    from watchfiles import watch as saves

    again(args, flags, folder)
    note("watching; Ctrl-C stops")
    try:
        for changes in saves(folder, watch_filter=lambda _, path: path.endswith(".yaml"), raise_interrupt=True):
            names = ", ".join(sorted({path.rpartition("/")[2] for _, path in changes}))
            note(f"\n{time.strftime('%H:%M:%S')} saved: {names}\n")
            again(args, flags, folder)
    except KeyboardInterrupt:
        note("stopped")
    return exits.INTERRUPTED


def again(args: Args, flags: Flags, folder: str) -> None:
    """Run the tests once; what is wrong with the config is said, and the next save may put it right."""
    from syncd.config.diagnostics import Diagnostic, render

    try:
        once(args, flags, folder)
    except ConfigError as error:
        note(render([one for one in error.diagnostics if isinstance(one, Diagnostic)]) + f"\n\nerror: {error}")
    except UsageError as error:
        note(f"error: {error}")


# ---- explain --as-test


def as_test(args: Args, flags: Flags) -> int:
    """Print the last event of a record, or of a field of it, as a rule test."""
    from syncd.cli.folder import glance
    from syncd.cli.ledger import reading
    from syncd.daemon.recount import as_test as told
    from syncd.ledger import records

    if flags.format not in (None, "table"):
        raise UsageError("--as-test prints a YAML file; it has no other format")
    folder = glance(find(flags.config))
    folder.entity(args.entity)
    if args.field:
        folder.field(args.entity, args.field)
    config, _ = valid(folder.name)
    with reading(flags, folder) as desk:
        record = records.one(desk.db, desk.record(args.entity, args.record))
        if record is None:
            raise SyncdError(f"{args.entity} {args.record} is not in the ledger")
        text = told(desk.db, record, config.rules, args.field)
    say(text.rstrip("\n"))
    note(f"# put it under {folder.name}/tests/ and run: syncd test")
    return exits.OK


TEST = Command(
    test,
    "run the rule tests of the config; no platform and no ledger is touched",
    (
        "syncd test",
        'syncd test -k "price jump"',
        "syncd test --coverage",
        "syncd test --junit tests.xml",
        "syncd test --watch",
        "syncd test --update",
    ),
    parameters,
    "A test says what everyone agreed on, what platforms say then, and what must come of it (docs/tests.md). Each is also\n"
    "read in other orders, run twice, and must have nothing left to write afterwards. Exit 1 if one fails.",
)
