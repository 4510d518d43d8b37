"""The structure of a piece of HTML, in a form in which two spellings of one structure are equal.

Tags and attribute names are lower case, attributes in order, runs of blanks one space, and blanks beside a block's tags
nothing, as a browser shows it. Comments say nothing. Every text has a structure: what a browser would not finish is text.

The reading is our own because the standard library's parser takes minutes for some texts of 200 KB that a platform could
send; this one looks at each character a few times at most.
"""

import re
from collections.abc import Iterator
from html import unescape

BLANKS = re.compile(r"[ \t\n\r\f]+")
BEGIN = re.compile(r"</?[A-Za-z]")
TAG = re.compile(r"""<([A-Za-z][^\s/>]*+)((?:[^>"']++|"[^"]*+"|'[^']*+')*+)>""")
END = re.compile(r"</([A-Za-z][^\s/>]*+)[^>]*+>")
ATTRIBUTE = re.compile(r"""([^\s=/>"']++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>"']++)))?+""")
BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "br", "dd", "details", "div", "dl", "dt", "fieldset"),
        *("figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html"),
        *("li", "main", "nav", "ol", "p", "pre", "section", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
    )
)
VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"))
VERBATIM = frozenset(("pre", "textarea", "script", "style"))  # blanks count inside
SCRIPTS = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style")}  # tags are text inside

Attributes = tuple[tuple[str, str], ...]
Part = tuple[str, str, Attributes]  # ("text" | "open" | "close", text or tag, attributes)
Outline = tuple[Part, ...]


def parts(text: str) -> Iterator[Part]:
    """Yield the tags and texts of an HTML text as they stand."""
    done = 0
    while (start := text.find("<", done)) >= 0:
        if start > done:
            yield ("text", unescape(text[done:start]), ())
        found, done = part_at(text, start)
        yield from found
        if found and found[0][0] == "open" and found[0][1] in SCRIPTS:
            stop = SCRIPTS[found[0][1]].search(text, done)
            end = stop.start() if stop else len(text)
            yield ("text", text[done:end], ())
            done = end
    yield ("text", unescape(text[done:]), ())


def part_at(text: str, start: int) -> tuple[tuple[Part, ...], int]:
    """Return what begins at this ``<``, and where it ends."""
    if text.startswith(("<!", "<?"), start):
        mark = "-->" if text.startswith("<!--", start) else ">"
        end = text.find(mark, start + 2)
        return (), len(text) if end < 0 else end + len(mark)
    if not BEGIN.match(text, start):
        return (("text", "<", ()),), start + 1
    closing = text.startswith("</", start)
    tag = (END if closing else TAG).match(text, start)
    if not tag:
        return (("text", text[start:], ()),), len(text)
    name = tag[1].lower()
    if closing:
        return (() if name in VOID else (("close", name, ()),)), tag.end()
    return (("open", name, attributes(tag[2])),), tag.end()


def attributes(text: str) -> Attributes:
    """Return the attributes of a tag in order; of two with one name the first counts, as in browsers."""
    given: dict[str, str] = {}
    for name, double, single, bare in ATTRIBUTE.findall(text):
        given.setdefault(name.lower(), BLANKS.sub(" ", unescape(double or single or bare)).strip())
    return tuple(sorted(given.items()))


def merged(found: Iterator[Part]) -> list[Part]:
    """Return the parts with texts that touch made one."""
    whole: list[Part] = []
    run: list[str] = []
    for part in found:
        if part[0] == "text":
            run.append(part[1])
            continue
        whole += [("text", "".join(run), ()), part]
        run = []
    return [*whole, ("text", "".join(run), ())]


def outline(text: str) -> Outline:
    """Return the structure of an HTML text: equal for texts that differ only in spelling."""
    found = merged(parts(text))
    kept: list[Part] = []
    depth = 0  # of elements in which blanks count
    beside = True  # after a block's tag, a blank or the beginning, with at most inline tags between
    for place, part in enumerate(found):
        kind, body, _ = part
        if kind != "text":
            depth = max(0, depth + (body in VERBATIM) * (1 if kind == "open" else -1))
            beside = body in BLOCKS or (beside and body not in VOID)
            kept.append(part)
            continue
        if not depth:
            after = found[place + 1][1] if place + 1 < len(found) else "body"
            body = trimmed(body, left=beside, right=after in BLOCKS)
        if body:
            kept.append(("text", body, ()))
            beside = body.endswith(" ") and not depth
    return tuple(kept)


def trimmed(text: str, *, left: bool, right: bool) -> str:
    """Return text with blanks collapsed, and none at the sides where a block's tag stands."""
    text = BLANKS.sub(" ", text)
    text = text.lstrip(" ") if left else text
    return text.rstrip(" ") if right else text
