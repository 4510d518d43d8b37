"""`syncd check` as a person reads it: the form of the contract."""

from dataclasses import replace

from syncd.config.diagnostics import Diagnostic
from syncd.config.model import FileSummary, Loaded
from syncd.reports import check, text
from syncd.reports.envelope import Origin
from syncd.reports.page import Look

FILES = [
    FileSummary("config/syncd.yaml", "service", "syncd"),
    *(
        FileSummary(f"config/platforms/{name}.yaml", "platform", name)
        for name in ("accounting", "mailer", "salesforce", "sanity", "sap", "shopify")
    ),
    FileSummary("config/entities/customer.yaml", "entity", "customer", "ok", 6, 6, 1),
    FileSummary("config/entities/product.yaml", "entity", "product", "warn", 10, 10, 1),
    FileSummary("config/tests/product_rules.yaml", "tests", "product_rules", "ok", tests=5),
]
WARNING = Diagnostic(
    code="W210",
    severity="warning",
    file="config/entities/product.yaml",
    line=85,
    col=5,
    end_col=10,
    message="hero_image waits for a person, nobody is told",
    hint="each change will sit in the inbox",
    fix="add reviewers: [shop-team], or a notify entry with when: [conflict_new] in config/syncd.yaml",
    source="    truth: {manual: true, propose: sanity}",
)
SHOWN = """\
  ok    config/syncd.yaml
  ok    config/platforms/  accounting  mailer  salesforce  sanity  sap  shopify   (6 files)
  ok    config/entities/customer.yaml   6 fields, 6 rules, 1 with cases
  warn  config/entities/product.yaml   10 fields, 10 rules, 1 with cases
  ok    config/tests/product_rules.yaml 5 tests (run them: syncd test)

config/entities/product.yaml:85:5: warning W210: hero_image waits for a person, nobody is told
  85 |     truth: {manual: true, propose: sanity}
     |     ^^^^^ each change will sit in the inbox
  fix  add reviewers: [shop-team], or a notify entry with when: [conflict_new] in config/syncd.yaml

10 files, 16 fields.  0 errors, 1 warning.  Offline check in 0.21 s.
"""


def shown(found: Loaded) -> str:
    document = check.document(found, Origin(0, found.environment, found.sha))
    return text.render(check.layout(found.diagnostics, 0.21)(document, Look()), Look())


def test_a_check_is_shown_as_the_contract_shows_it() -> None:
    assert shown(Loaded(None, [WARNING], FILES, "4f1c9e2", {}, "production")) == SHOWN


def test_a_platform_with_a_finding_has_a_line_of_its_own() -> None:
    files = [replace(one, state="error") if one.name == "sap" else one for one in FILES[:7]]
    assert shown(Loaded(None, [], files, "4f1c9e2", {}, "")).split("\n")[:3] == [
        "  ok    config/syncd.yaml",
        "  ok    config/platforms/  accounting  mailer  salesforce  sanity  shopify   (5 files)",
        "  error config/platforms/sap.yaml",
    ]
