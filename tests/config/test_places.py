"""Where the folder, state and run-time files are; what did-you-mean suggests."""

from pathlib import Path

import pytest

from syncd.config.literals import amount, number_word
from syncd.config.places import find_folder, runtime_directory, state_directory, variables
from syncd.config.suggest import did_you_mean, distance, near
from syncd.errors import ConfigError


def test_the_folder_is_looked_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    etc = tmp_path / "etc"
    with pytest.raises(ConfigError, match=r"looked at --config, \$SYNCD_CONFIG, ./config and "):
        find_folder(None, {}, etc=str(etc))
    etc.mkdir()
    assert find_folder(None, {}, etc=str(etc)) == str(etc)
    (tmp_path / "config").mkdir()
    assert find_folder(None, {}, etc=str(etc)) == "config"
    (tmp_path / "other").mkdir()
    assert find_folder(None, {"SYNCD_CONFIG": "other"}) == "other"
    assert find_folder(str(etc), {"SYNCD_CONFIG": "other"}) == str(etc)


@pytest.mark.parametrize(("given", "environ"), [("nowhere", {}), (None, {"SYNCD_CONFIG": "nowhere"})])
def test_a_folder_that_was_named_but_is_not_there_is_no_reason_to_look_further(
    given: str | None, environ: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match="no config folder at nowhere"):
        find_folder(given, environ)


@pytest.mark.parametrize(
    ("environ", "state", "run"),
    [
        ({"STATE_DIRECTORY": "/s", "RUNTIME_DIRECTORY": "/r"}, "/s", "/r"),
        ({"STATE_DIRECTORY": "/s:/t", "RUNTIME_DIRECTORY": "/r:/q"}, "/s", "/r"),
        ({"XDG_STATE_HOME": "/x", "XDG_RUNTIME_DIR": "/y", "HOME": "/h"}, "/x/syncd", "/y/syncd"),
        ({"HOME": "/h"}, "/h/.local/state/syncd", "/h/.local/state/syncd/run"),
        ({"STATE_DIRECTORY": "/s"}, "/s", "/s/run"),
    ],
)
def test_state_and_run_time_folders(environ: dict[str, str], state: str, run: str) -> None:
    assert (state_directory(environ), runtime_directory(environ)) == (Path(state), Path(run))
    found = variables(environ)
    assert (found["STATE_DIRECTORY"], found["RUNTIME_DIRECTORY"]) == (state, run)


@pytest.mark.parametrize(
    ("word", "names", "expected"),
    [
        ("if_nul", ["if_null", "if_stale"], ["if_null"]),
        ("sanitty", ["sap", "shopify", "sanity"], ["sanity"]),
        ("frist", ["first", "last"], ["first"]),
        ("tsrif", ["first"], ["first"]),
        ("OWNER", ["owner"], ["owner"]),
        ("abc", ["abd", "abe", "abf"], ["abd", "abe"]),
        ("abxy", ["abcd", "abxz"], ["abxz", "abcd"]),
        ("x", ["in", "id"], []),
        ("xy", ["in"], []),
        ("check", ["sap", "shopify", "sanity"], []),
    ],
)
def test_did_you_mean_is_two_slips_or_the_same_letters(word: str, names: list[str], expected: list[str]) -> None:
    assert near(word, names) == expected


def test_two_suggestions_are_joined() -> None:
    assert did_you_mean("abc", ["abd", "abe"]) == 'did you mean "abd" or "abe"?'
    assert did_you_mean("abc", []) == ""


def test_distance_counts_letters() -> None:
    assert [distance(*pair) for pair in [("", "abc"), ("abc", ""), ("kitten", "sitting"), ("ab", "ba")]] == [3, 3, 3, 2]


def test_numbers_and_durations_in_words() -> None:
    assert [number_word(n) for n in (0, 1, 10, 19, 20, 42, 99, 100)] == [
        *("zero", "one", "ten", "nineteen", "twenty", "forty-two", "ninety-nine", "100")
    ]
    assert [amount(n) for n in (1, 1_500_000, 2_000_000, 7_200_000_000)] == ["0.001ms", "1500ms", "2s", "2h"]
