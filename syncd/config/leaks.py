"""Secrets pasted into the config: what looks like one is refused (E031), and is masked wherever its line is shown."""

import math
import re
from collections import Counter
from dataclasses import replace

from syncd.config.nodes import Block, Scalar, Span, scalars
from syncd.config.secrets import reference
from syncd.config.source import Source

_VENDORS = [  # (form, what stays readable, whose, what)
    (r"shp(?:at|ca|pa|ss|it|ua)_[0-9A-Za-z]{8,}", r"shp\w\w_", "Shopify", "token"),
    (r"(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{8,}", r"\wk_\w+?_", "Stripe", "key"),
    (r"gh[pousr]_[0-9A-Za-z]{16,}", r"gh\w_", "GitHub", "token"),
    (r"github_pat_[0-9A-Za-z_]{16,}", r"github_pat_", "GitHub", "token"),
    (r"glpat-[0-9A-Za-z_-]{16,}", r"glpat-", "GitLab", "token"),
    (r"xox[abeoprs]-[0-9A-Za-z-]{8,}", r"xox\w-", "Slack", "token"),
    (r"(?:AKIA|ASIA)[0-9A-Z]{16}", r"A\wIA", "AWS", "access key"),
    (r"AIza[0-9A-Za-z_-]{35}", r"AIza", "Google", "key"),
    (r"SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}", r"SG\.", "SendGrid", "key"),
    (r"npm_[0-9A-Za-z]{36}", r"npm_", "npm", "token"),
    (r"sk-(?:ant-|proj-)?[0-9A-Za-z_-]{32,}", r"sk-", "", "API key"),
    (r"sk[0-9A-Za-z]{80,}", r"sk", "Sanity", "token"),
    (r"whsec_[0-9A-Za-z+/=]{16,}", r"whsec_", "", "webhook secret"),
    (r"eyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}(?:\.[0-9A-Za-z_-]*)?", r"eyJ", "", "JSON web token"),
    (r"Bearer [0-9A-Za-z._~+/=-]{16,}", r"Bearer ", "", "bearer token"),
    (r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*", r"-----BEGIN [A-Z ]*KEY-----", "", "private key"),
]
VENDORS = [(re.compile(rf"(?<![0-9A-Za-z]){form}"), re.compile(head), whose, what) for form, head, whose, what in _VENDORS]
IN_URL = re.compile(r"://[^/\s:@]*:(?!\$\{)([^/\s@]+)@")
PLAIN = {  # keys whose value is a secret, whatever it looks like
    *("password", "passwd", "secret", "token", "bearer", "api_key", "apikey", "access_key", "secret_key", "private_key"),
    *("client_secret", "access_token", "refresh_token", "auth_token", "jwt_key", "authorization", "x-api-key"),
}
_AFTER_KEY = re.compile(r"(?i)(?:password|secret|token|bearer|key)[\"']?\s*:\s*(?!\s|secret:)([^\s,}]{6,})")
LIKE = re.compile(r"(?i)pass(word|wd|phrase)|secret|token|(api|access|private)[-_]?key|credential|^value$")
NOT = re.compile(r"(?i)[_-](url|uri|path|dir|file|name|id|field|header|type)$")


def refuse_leaks(source: Source, root: Block | None, owner: str) -> None:
    """Note E031 for every value that looks like a secret, and mask it. ``owner`` is the platform, for its new name."""
    found = [(key, node, *_secret(source, key, node)) for key, node in scalars(root)]
    found = [one for one in found if one[2]]
    for _, node, hidden, _, _ in found:
        _mask(source, node, hidden)
    if root is None:
        _mask_unread(source)
    source.found = [replace(one, source=source.line(one.line)) for one in source.found]
    for key, node, _, whose, what in found:
        _refuse(source, key, node, owner, whose, what)


def _mask_unread(source: Source) -> None:
    """Mask what looks like a secret in a file that is no YAML: the line of its error is shown too."""
    for number, line in enumerate(source.lines, 1):
        for form, _, _, _ in [*VENDORS, (_AFTER_KEY, _AFTER_KEY, "", "")]:
            for hit in form.finditer(line):
                start, end = hit.span(form.groups)
                source.mask(Span(number, start + 1, end + 1), "*" * (end - start))


def _secret(source: Source, key: str, node: Scalar) -> tuple[list[tuple[int, int]], str, str]:
    """Return the parts of a value to hide, whose secret it is and what; nothing to hide if it is none."""
    raw = node.raw
    for form, head, whose, what in VENDORS:
        found = form.search(raw)
        if found:
            shown = head.match(found[0])
            start = found.start() + (shown.end() if shown else 0)
            return [(start, found.end())], whose, " ".join(filter(None, ["a real-looking", whose, what]))
    url = IN_URL.search(raw)
    if url:
        return [url.span(1)], "", "a password inside a URL"
    bare = _inner(raw)
    if reference(node.text) is not None or "${" in raw or bare[0] == bare[1] or not _may_hold(source):
        return [], "", ""
    name = key.replace("-", "_").lower()
    if (name in PLAIN or key.lower() in PLAIN) and node.value is not None and not isinstance(node.value, bool):
        looks = "a real-looking" if _random(raw[slice(*bare)]) else "a plain"
        return [bare], "", f"{looks} {name.replace('_', ' ')}"
    if LIKE.search(key) and not NOT.search(key) and _random(raw[slice(*bare)]):
        return [bare], "", "a real-looking secret"
    return [], "", ""


def _may_hold(source: Source) -> bool:
    """Return whether a file is one of those with logins: in entities and tests ``password`` may be a field's name."""
    return source.path.startswith("platforms/") or source.path == "syncd.yaml"


def _inner(raw: str) -> tuple[int, int]:
    """Return where the text of a value is, without its quotes."""
    quoted = len(raw) >= 2 and raw[0] in "'\"" and raw[-1] == raw[0]
    return (1, len(raw) - 1) if quoted else (0, len(raw))


def _random(text: str) -> bool:
    """Return whether a text looks made by a machine: long, one word, letters and digits mixed, no letter too often."""
    if len(text) < 16 or re.search(r"\s|[:/]{2,}", text) or not (re.search(r"\d", text) and re.search("[A-Za-z]", text)):
        return False
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values()) >= 3.0


def _mask(source: Source, node: Scalar, hidden: list[tuple[int, int]]) -> None:
    """Show stars for the hidden part, on every line it reaches over."""
    shown = list(node.raw)
    for start, end in hidden:
        shown[start:end] = [char if char in "\r\n" else "*" for char in shown[start:end]]
    line, col = node.span.line, node.span.col
    for text, real in zip("".join(shown).split("\n"), node.raw.split("\n"), strict=True):
        width = len(real.rstrip("\r"))
        source.mask(Span(line, col, col + width), text.rstrip("\r"))
        line, col = line + 1, 1


def _refuse(source: Source, key: str, node: Scalar, owner: str, whose: str, what: str) -> None:
    in_url = what.endswith("URL")
    word = "password" if in_url else what.rsplit(maxsplit=1)[-1].lower()
    kept_as = "password" if in_url else key.lower().replace("_", "-")
    name = f"{owner}-{kept_as}" if owner else kept_as
    folder = source.file.removesuffix(source.path)
    new = f"write  password: secret:{name}  and take it out of the URL" if in_url else f"write  {key}: secret:{name}"
    source.error(
        "E031",
        node,
        what,
        why=f"files in {folder} end up in git, backups and the console; treat this {word} as leaked",
        fix=f"1. revoke it in {whose or 'the platform'} and make a new one\n"
        f"2. syncd secrets set {name}      (asks without echo, stores mode 0600)\n"
        f"3. {new}",
    )
