"""The ten mistakes of the contract, each made in its own example, and the exact text that is shown."""

import os
from pathlib import Path

import pytest

from syncd.config.scene import Evidence
from tests.config.folders import example, loaded

MISTAKES = {
    1: ("entities/product.yaml", {31: "    truth: {priority: [sap, sanity], if_nul: next}"}),
    2: ("entities/product.yaml", {31: "    truth: {priority: [sap, sanitty], if_null: next}"}),
    3: ("entities/product.yaml", {36: "    truth: sap"}),
    4: ("platforms/shopify.yaml", {7: "  api_version: 1.10"}),
    5: ("platforms/shopify.yaml", {8: "  token: shpat_0123456789abcd"}),
    6: ("entities/product.yaml", {57: "      check: {min: 0.01, max_step: 30%}"}),
    7: ("entities/product.yaml", {48: "      sanity: {path: body, read: [portable_text_to_html]}"}),
    8: ("entities/customer.yaml", {40: '      - {when: "mailer.consent != null", owner: mailer}'}),
    9: ("platforms/shopify.yaml", {14: "  poll: {every: 10}"}),
    10: ("syncd.yaml", {13: "  console: 0.0.0.0:8686", 16: "  auth: none"}),
}

TEXTS = {
    1: """\
config/entities/product.yaml:31:38: error E104: unknown rule option "if_nul"
  31 |     truth: {priority: [sap, sanity], if_nul: next}
     |                                      ^^^^^^ did you mean "if_null"?
  why  an option syncd does not know could not be obeyed: SAP blanks would be treated as "keep"
  fix  write  if_null: next     (allowed here: if_null, if_stale, if_invalid, stale_after, freeze)""",
    2: """\
config/entities/product.yaml:31:29: error E201: no platform called "sanitty"
  31 |     truth: {priority: [sap, sanitty], if_null: next}
     |                             ^^^^^^^ did you mean "sanity" (config/platforms/sanity.yaml)?
  why  gtin would never receive a value from its second source
  fix  use one of: sanity, sap, shopify     (the platforms of product's in:)""",
    3: """\
config/entities/product.yaml:36:12: error E203: owner sap has no mapping for this field
  36 |     truth: sap
     |            ^^^ owner without a mapping
  why  with no reading from its owner, product.name could only ever be blank
  fix  add a mapping on line 37, for example  map: {sap: ProductDescription, ...}
          (seen in sap at the last probe, unmapped: ProductDescription, BaseUnit)
       or give name to a platform that is mapped: sanity, shopify""",
    4: """\
config/platforms/shopify.yaml:7:16: error E012: must be text, and YAML reads 1.10 as 1.1
   7 |   api_version: 1.10
     |                ^^^^ quote it
  why  the trailing zero is gone before syncd sees it (00123 would lose its zeros too)
  fix  write  api_version: "1.10"
  note syncd keeps yes, no, on, off and 12:30 as plain text; only true and false are booleans""",
    5: """\
config/platforms/shopify.yaml:8:10: error E031: a real-looking Shopify token
   8 |   token: shpat_**************
     |          ^^^^^^^^^^^^^^^^^^^^
  why  files in config/ end up in git, backups and the console; treat this token as leaked
  fix  1. revoke it in Shopify and make a new one
       2. syncd secrets set shopify-token      (asks without echo, stores mode 0600)
       3. write  token: secret:shopify-token""",
    6: """\
config/entities/product.yaml:57:7: error E202: no platform called "check" to map
  57 |       check: {min: 0.01, max_step: 30%}
     |       ^^^^^ indented too far?
  why  line 54 opened map:, and this line is indented two columns too far to leave it
  fix  move it two columns left, level with "map:" (column 5)""",
    7: """\
config/entities/product.yaml:48:34: error E240: this transform has no way back
  48 |       sanity: {path: body, read: [portable_text_to_html]}
     |                                  ^^^^^^^^^^^^^^^^^^^^^^^ add write:, or direction: in
  why  description is two-way: syncd writes HTML into body, reads it as changed, and repeats
       (tried on 200 ledger samples: 0 of 200 came back unchanged)
  fix  add  write: [html_to_portable_text]     the known opposite of portable_text_to_html
       or   direction: in                       never write this field to sanity""",
    8: """\
config/entities/customer.yaml:40:10: error E221: the last case has a condition
  40 |       - {when: "mailer.consent != null", owner: mailer}
     |          ^^^^ then who decides?
  why  consent would have no rule: for 212 of 3,911 customers today neither case is true
  fix  drop the condition:  - {owner: mailer, if_null: {const: unknown}}
       or add a last line:  - {manual: true}      (send those to the conflict inbox)""",
    9: """\
config/platforms/shopify.yaml:14:17: error E015: "10" is not a duration: 10 what?
  14 |   poll: {every: 10}
     |                 ^^ 10s, 10m or 10h?
  why  syncd will not guess between ten seconds and ten minutes of API quota
  fix  write  every: 10m      (units: ms, s, m, h, d)""",
    10: """\
config/syncd.yaml:13:12: error E051: console open to the network, no login
  13 |   console: 0.0.0.0:8686
     |            ^^^^^^^^^^^^
  why  auth is none (line 16): anyone who reaches this port could read and approve writes
  fix  console: {auth: password}  then  syncd users add NAME     or
       console: {auth: proxy}     behind your own single sign-on   or
       listen on 127.0.0.1:8686   and use  ssh -L 8686:127.0.0.1:8686 HOST""",
}
LEDGER = Evidence(
    seen={"sap": ("ProductDescription", "BaseUnit")},
    tried={("product", "description", "sanity"): (0, 200)},
    undecided={("customer", "consent"): (212, 3911)},
)


@pytest.fixture(autouse=True)
def _beside_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("number", MISTAKES)
def test_a_mistake_prints_exactly_what_the_contract_shows(number: int) -> None:
    path, edits = MISTAKES[number]
    example(Path("config"), {path: edits})
    good = {one.text() for one in loaded(example(Path("good"))).diagnostics}
    found = [one.text() for one in loaded(Path("config"), evidence=LEDGER).diagnostics]
    new = [text for text in found if text.replace("config/", "good/") not in good and " E190: " not in text]
    assert new == [TEXTS[number]]


@pytest.mark.parametrize("number", [3, 7])
def test_without_ledger_or_probe_the_lines_that_quote_them_are_left_out(number: int) -> None:
    path, edits = MISTAKES[number]
    found = loaded(example(Path("config"), {path: edits}))
    (text,) = [one.text() for one in found.diagnostics if one.code == TEXTS[number].split()[2].rstrip(":")]
    expected = [line for line in TEXTS[number].split("\n") if "last probe" not in line and "ledger samples" not in line]
    assert text == "\n".join(expected).replace("ProductDescription", "name")


def test_the_example_of_the_contract_gives_nothing_but_what_this_version_does_not_obey() -> None:
    found = loaded(example(Path("config")))
    assert {one.code for one in found.errors} == {"E190"}
    assert found.config is None


def test_the_folder_is_named_as_it_was_given() -> None:
    folder = example(Path("config"), {"syncd.yaml": MISTAKES[10][1]}).absolute()
    texts = [one.text() for one in loaded(folder).diagnostics if one.code == "E051"]
    assert texts == [TEXTS[10].replace("config/", f"{os.fspath(folder)}/")]
