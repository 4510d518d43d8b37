"""Secrets: where they are looked up and set, and what is refused when one stands in a file."""

from pathlib import Path

import pytest

from syncd.config.secrets import Secrets, reference, variables_of
from syncd.errors import ConfigError
from tests.config.folders import ERP, PRODUCT, SHOP, codes, loaded, only, small, write


def put(path: Path, text: str, mode: int = 0o600) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def test_the_order_is_credentials_folder_environment(tmp_path: Path) -> None:
    credentials, folder = tmp_path / "c", tmp_path / "s"
    environ = {"CREDENTIALS_DIRECTORY": str(credentials), "SYNCD_SECRET_SHOP_KEY": "from environment"}
    secrets = Secrets(environ, folder)
    assert (secrets.find("shop-key").source, secrets.get("shop-key")) == ("environment", "from environment")
    put(folder / "shop-key", "from folder\n")
    assert (secrets.find("shop-key").source, secrets.get("shop-key")) == ("folder", "from folder")
    put(credentials / "shop-key", "plain credential\n", 0o400)
    assert (secrets.find("shop-key").source, secrets.get("shop-key")) == ("credential", "plain credential")
    put(credentials / "syncd_shop-key", "own credential", 0o444)
    assert secrets.get("shop-key") == "own credential"
    assert secrets.has("shop-key")
    assert secrets.names() == ["shop-key"]


def test_a_file_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    put(tmp_path / "key", "x", 0o640)
    secrets = Secrets({}, tmp_path)
    found = secrets.find("key")
    assert (found.source, found.value, found.place) == (
        "none",
        None,
        f"{tmp_path}/key has mode 0640: not used until it is 0600",
    )
    put(tmp_path / "key", "x", 0o400)
    assert secrets.get("key") == "x"


def test_a_secret_that_is_not_text_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    (tmp_path / "key").chmod(0o600)
    assert Secrets({}, tmp_path).find("key").place == f"{tmp_path}/key cannot be read: not UTF-8"


@pytest.mark.parametrize("name", ["", "../etc/passwd", ".hidden", "a/b", "a b", "x" * 200, "-x"])
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    secrets = Secrets({}, tmp_path)
    assert not secrets.has(name)
    with pytest.raises(ConfigError, match="is no name for a secret"):
        secrets.set(name, "x")


def test_setting_makes_the_folder_and_a_file_of_mode_0600(tmp_path: Path) -> None:
    secrets = Secrets({}, tmp_path / "deep" / "s")
    path = secrets.set("shop-key", "one")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("one", 0o600)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.chmod(0o644)
    assert secrets.set("shop-key", "two") == path
    assert (secrets.get("shop-key"), path.stat().st_mode & 0o777) == ("two", 0o600)
    assert [one.name for one in path.parent.iterdir()] == ["shop-key"]


def test_setting_needs_a_folder() -> None:
    with pytest.raises(ConfigError, match="secrets_dir"):
        Secrets({}).set("a", "b")


def test_names_come_from_everywhere(tmp_path: Path) -> None:
    put(tmp_path / "c/syncd_one", "x")
    put(tmp_path / "s/two.b", "x")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "c"), "SYNCD_SECRET_THREE_C": "x", "SYNCD_SECRET_TWO_B": "x"}
    assert Secrets(environ, tmp_path / "s").names() == ["one", "three-c", "two.b"]


def test_values_do_not_show_in_what_is_printed(tmp_path: Path) -> None:
    put(tmp_path / "key", "hunter2hunter2")
    assert "hunter2" not in repr(Secrets({}, tmp_path).find("key"))


def test_references_and_their_variables() -> None:
    assert (reference("secret:shop-key"), reference("shop-key")) == ("shop-key", None)
    assert variables_of("shop-key") == ["SYNCD_SECRET_SHOP_KEY", "SYNCD_SECRET_shop-key"]


def test_a_missing_secret_is_told_once_where_it_is_first_named(tmp_path: Path) -> None:
    erp = ERP.replace('erp.db"', 'erp.db", password: secret:key')
    shop = SHOP.replace(':1"', ':1", token: secret:key')
    assert codes(loaded(small(tmp_path, erp=erp, shop=shop))) == ["W032"]
    put(tmp_path / "secrets/key", "x", 0o644)
    assert only(loaded(tmp_path), "W032").hint == f"{tmp_path}/secrets/key has mode 0644: not used until it is 0600"
    put(tmp_path / "secrets/key", "x")
    found = loaded(tmp_path)
    assert codes(found) == []
    assert found.config is not None
    assert found.config.platforms["erp"].secrets == ("key",)


def test_a_reference_that_is_no_name(tmp_path: Path) -> None:
    erp = ERP.replace('erp.db"', 'erp.db", password: "secret:a b"')
    assert codes(loaded(small(tmp_path, erp=erp))) == ["E011"]


LEAKS = [
    ("token: shpat_0123456789abcd", "a real-looking Shopify token", "shpat_**************"),
    ('token: "shpss_0123456789abcdef"', "a real-looking Shopify token", '"shpss_****************"'),
    ("token: sk_live_0123456789abcd", "a real-looking Stripe key", "sk_live_**************"),
    ("token: ghp_0123456789abcdefghij", "a real-looking GitHub token", "ghp_********************"),
    ("token: xoxb-0123456789-abc", "a real-looking Slack token", "xoxb-**************"),
    ("token: AKIAIOSFODNN7EXAMPLE", "a real-looking AWS access key", "AKIA****************"),
    ("token: whsec_0123456789abcdef", "a real-looking webhook secret", "whsec_****************"),
    ("token: eyJhbGciOiJIUzI1.eyJzdWIiOiIx.c2ln", "a real-looking JSON web token", "eyJ" + "*" * 31),
    ("token: hunter2", "a plain token", "*******"),
    ("token: 12345678", "a plain token", "********"),
    ("token: a8F3kQ9xZ2mN7vB1", "a real-looking token", "****************"),
    ("headers: {Authorization: Bearer abc}", "a plain authorization", "**********"),
    ("headers: {X-Webhook-Secret-1: a8F3kQ9xZ2mN7vB1cD}", "a real-looking secret", "*" * 18),
    ('base_url: "https://u:pa55@h/x"', "a password inside a URL", '"https://u:****@h/x"'),
]


@pytest.mark.parametrize(("line", "message", "shown"), LEAKS)
def test_what_looks_like_a_secret_is_refused_and_masked(tmp_path: Path, line: str, message: str, shown: str) -> None:
    found = loaded(small(tmp_path, shop=SHOP.replace('base_url: "http://127.0.0.1:1"', line)))
    one = only(found, "E031")
    assert one.message == message
    assert one.source[one.col - 1 : one.end_col - 1] == shown
    assert len(one.source) == len(f"connection: {{{line}}}")
    secret = line.partition(": ")[2].strip('"')[-6:]
    assert all(secret not in each.text() for each in found.diagnostics)


@pytest.mark.parametrize(
    "line",
    [
        "token: secret:shop-token",
        "token: ${TOKEN}",
        "base_url: https://user@h/x",
        'base_url: "https://u:${PASS}@h/x"',
        "base_url: https://example.com/a8F3kQ9xZ2mN7vB1",
        "headers: {Accept: application/json; charset=utf-8}",
        "headers: {X-Token-Name: a8F3kQ9xZ2mN7vB1}",
    ],
)
def test_what_is_no_secret_is_let_be(tmp_path: Path, line: str) -> None:
    found = loaded(
        small(tmp_path, shop=SHOP.replace('base_url: "http://127.0.0.1:1"', line)), TOKEN="a8F3kQ9xZ2mN7vB1", PASS="x"
    )
    assert "E031" not in codes(found)


def test_a_field_called_password_is_no_secret(tmp_path: Path) -> None:
    text = PRODUCT + "  password: {type: string, truth: erp, map: {erp: password, shop: secret}}\n"
    test = "  - {name: a, base: {password: hunter2}, given: {erp: {name: x}}, expect: {writes: {}}}\n"
    folder = write(small(tmp_path, product=text), {"tests/a.yaml": f"entity: product\ntests:\n{test}"})
    assert codes(loaded(folder)) == []


def test_a_private_key_is_masked_on_all_its_lines(tmp_path: Path) -> None:
    pem = "jwt_key: |\n    -----BEGIN RSA PRIVATE KEY-----\n    MIIEpAIBAAKCAQEA75\n    -----END RSA PRIVATE KEY-----\n"
    shop = SHOP.replace('connection: {base_url: "http://127.0.0.1:1"}', f"connection:\n  base_url: x\n  {pem}  bad: ${{X}}")
    found = loaded(small(tmp_path, shop=shop))
    one = only(found, "E031")
    assert (one.line, one.col, one.message) == (6, 12, "a real-looking private key")
    assert all("MIIEpA" not in each.text() for each in found.diagnostics)


@pytest.mark.parametrize(
    "line", ["  token: shpat_0123456789abcd: x", "  password: 'hunter2hunter2", "  - token: [ghp_0123456789abcdefghij"]
)
def test_a_secret_in_a_file_that_is_no_yaml_is_masked_too(tmp_path: Path, line: str) -> None:
    found = loaded(small(tmp_path, shop=f"platform: shop\nconnection:\n{line}\n"))
    assert codes(found) == ["E001"]
    assert "***" in found.diagnostics[0].text()
    assert not any(part in found.diagnostics[0].text() for part in ("0123456789", "hunter2"))


def test_a_variable_beside_a_secret_does_not_show_it(tmp_path: Path) -> None:
    shop = SHOP.replace('"http://127.0.0.1:1"', "'${X}', token: ghp_0123456789abcdefghij")
    found = loaded(small(tmp_path, shop=shop))
    assert {"E013", "E031"} <= set(codes(found))
    assert all("0123456789" not in each.text() for each in found.diagnostics)
