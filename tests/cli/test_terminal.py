"""What a terminal gets that a pipe does not: width, colour, relative times, questions."""

from pathlib import Path

import pytest

from tests.cli.scene import daemon, run
from tests.cli.terminal import on_terminal
from tests.cli.test_working import LINE, REPORT, done


@pytest.mark.parametrize("columns", [80, 100])
def test_tables_fit_the_terminal(folder: Path, columns: int) -> None:
    for words in (["conflicts"], ["dead"], ["status"], ["history", "product", "MUG-1"]):
        code, text = on_terminal(*words, "--config", folder, "--color", "never", columns=columns)
        assert code == 0
        assert max(len(line) for line in text.splitlines()) <= columns, text


def test_columns_is_honoured(folder: Path) -> None:
    _, text = on_terminal("dead", "--config", folder, "--color", "never", columns=200, COLUMNS="70")
    assert max(len(line) for line in text.splitlines() if "daemon" not in line) <= 70


def test_colour_on_a_terminal_only_and_never_against_the_will_of_the_user(folder: Path) -> None:
    words = ["breaker", "--config", folder]
    assert "\x1b[31mopen\x1b[0m" in on_terminal(*words)[1]
    assert "\x1b[" not in on_terminal(*words, NO_COLOR="1")[1]
    assert "\x1b[" not in on_terminal(*words, "--color", "never")[1]
    assert "\x1b[" in on_terminal(*words, "--color", "always", NO_COLOR="1")[1]
    assert "\x1b[" not in run(*words).stdout
    assert "\x1b[31mopen" in run(*words, "--color", "always").stdout


def test_times_are_relative_on_a_terminal_and_whole_on_a_pipe(folder: Path) -> None:
    assert "2025-11-20 23:55:30" not in on_terminal("conflicts", "--config", folder)[1]
    assert "2025-11-20 23:55:30" in run("conflicts", "--config", folder).stdout
    assert "2025-11-21 08:55:30" in run("conflicts", "--local", "--config", folder, TZ="Asia/Tokyo").stdout


def test_a_terminal_is_asked_before_anything_is_written(folder: Path) -> None:
    with daemon(folder / "control.sock", lambda _: done(report=REPORT, lines=[LINE])) as asked:
        question = "[y/N/d for diff]"
        code, text = on_terminal("reconcile", "--fix", "--config", folder, typed=[(question, "\n")])
        assert (code, len(asked)) == (5, 1)
        assert "Nothing was written." in text
        code, text = on_terminal("reconcile", "--fix", "--config", folder, typed=[(question, "d\n"), ("9.99 -> 12.50", "y\n")])
        assert code == 0
        assert "product MUG-1  shop  price  9.99 -> 12.50" in text
        assert "Repaired.  1 written." in text
        assert [one["fix"] for one in asked] == [False, False, True]


def test_approving_all_asks(folder: Path) -> None:
    with daemon(folder / "control.sock", lambda _: done(count=1)) as asked:
        code, _ = on_terminal("changes", "approve", "--all", "--config", folder, typed=[("[y/N]", "n\n")])
        assert (code, asked) == (5, [])
        code, text = on_terminal("changes", "approve", "--all", "--config", folder, typed=[("[y/N]", "yes\n")])
        assert (code, len(asked)) == (0, 1)
        assert "1 change approved." in text


def test_a_secret_is_typed_twice_and_not_shown(folder: Path) -> None:
    typed = [("shop-key: ", "s3cret\n"), ("once more: ", "s3cret\n")]
    code, text = on_terminal("secrets", "set", "shop-key", "--config", folder, typed=typed)
    assert code == 0
    assert "s3cret" not in text
    assert (folder / "secrets/shop-key").read_text() == "s3cret"
    typed = [("shop-key: ", "one\n"), ("once more: ", "two\n")]
    assert on_terminal("secrets", "set", "shop-key", "--config", folder, typed=typed)[0] == 64
    assert (folder / "secrets/shop-key").read_text() == "s3cret"


def test_a_terminal_that_knows_ascii_only_still_gets_its_table(folder: Path) -> None:
    done_ = run("dead", "--config", folder, LANG="C", PYTHONIOENCODING="ascii")
    assert done_.returncode == 0
    assert "signature did not match" in done_.stdout
