"""From HTML to portable text: Sanity's blocks of spans, with the same keys each time.

Known are paragraphs, headings, quotes, lists in lists, links, and the marks of ``MARKS``. What has no form in portable text is
Invalid with the tag's name, never dropped. ``<b>``, ``<i>``, ``<del>``, ``<strike>`` are the marks they stand for, and a
``<div>`` without attributes is a paragraph, so such a text comes back once in the other spelling and then stays.
"""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Any

from syncd.core.markup import Attributes, outline
from syncd.core.model import Native
from syncd.core.native import MAX_DEPTH, Invalid, check_text, shown, sort_of

STYLES = {"p": "normal", "blockquote": "blockquote"} | {f"h{n}": f"h{n}" for n in range(1, 7)}
MARKS = {"strong": "strong", "em": "em", "u": "underline", "code": "code", "s": "strike-through"}
ALIASES = {"b": "strong", "i": "em", "del": "strike-through", "strike": "strike-through"}
LISTS = {"ul": "bullet", "ol": "number"}
CLEAR = frozenset(("div", "section", "article", "main", "body", "html", "span"))  # they say nothing without attributes
LINK = ("href", "rel", "target", "title")  # attributes of a link that are kept
EMBEDDED = "data-portable-text"  # of a div that holds a block as JSON


@dataclass(slots=True)
class Draft:
    """A block that is being filled. ``runs`` are texts with their marks, a link as its attributes."""

    style: str
    item: str = ""
    level: int = 0
    runs: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    def add(self, text: str, marks: tuple[Any, ...]) -> None:
        """Add a text; one with the same marks as the last joins it."""
        if self.runs and self.runs[-1][1] == marks:
            text = self.runs.pop()[0] + text
        self.runs.append((text, marks))


@dataclass(slots=True)
class Reader:
    """One HTML text being read."""

    blocks: list[dict[str, Any]] = field(default_factory=list)
    draft: Draft | None = None
    open: list[tuple[str, Any]] = field(default_factory=list)  # tags, each with the mark it sets or None

    def end(self) -> None:
        """Finish the block that is being filled, if any."""
        if self.draft is not None:
            self.blocks.append(block_of(self.draft, len(self.blocks)))
        self.draft = None

    def tags(self) -> list[str]:
        """Return the names of the open tags."""
        return [tag for tag, _ in self.open]

    def text(self, text: str) -> None:
        """Take a text; outside of any block it is a paragraph of its own."""
        if self.draft is None:
            if not text.strip(" "):
                return
            self.begin("blockquote" if "blockquote" in self.tags() else "normal")
        assert self.draft is not None
        self.draft.add(text, tuple(mark for _, mark in self.open if mark is not None))

    def begin(self, style: str) -> None:
        """Begin a block; inside a list item a paragraph is the item itself."""
        lists = [tag for tag in self.tags() if tag in LISTS]
        if "li" in self.tags():
            if style != "normal":
                raise Invalid(f"a list item that is a {style} has no form in portable text")
            if self.draft is None or self.draft.runs:
                raise Invalid("a list item of several paragraphs has no form in portable text")
            return
        if lists:
            raise Invalid("a list with something else than items has no form in portable text")
        if self.draft is not None and not self.draft.runs and style == "blockquote":
            self.draft = None  # the paragraphs of a quote are its blocks
        self.end()
        self.draft = Draft(style)

    def enter(self, tag: str, given: Attributes) -> None:
        """Take an opening tag; raises Invalid for what has no form."""
        mark: str | dict[str, str] | None = None
        if tag == "div" and any(name == EMBEDDED for name, _ in given):
            self.embed(dict(given)[EMBEDDED])
        elif tag == "a":
            mark = link(given)
        else:
            if given:
                raise Invalid(f"<{tag}> has the attribute {given[0][0]}, which has no form in portable text")
            mark = MARKS.get(tag) or ALIASES.get(tag)
            self.shape(tag)
        if tag != "br":
            self.open.append((tag, mark))

    def shape(self, tag: str) -> None:
        """Take what an opening tag without attributes means for blocks."""
        if tag in STYLES:
            self.begin("blockquote" if tag == "p" and "blockquote" in self.tags() else STYLES[tag])
        elif tag in LISTS:
            if self.draft is not None and not self.draft.runs:
                self.draft = None  # an item that is nothing but a list only makes its items deeper
            self.end()
        elif tag == "li":
            self.end()
            lists = [one for one in self.tags() if one in LISTS]
            self.draft = Draft("normal", LISTS[lists[-1]] if lists else "bullet", max(len(lists), 1))
        elif tag == "br":
            self.text("\n")
        elif tag in CLEAR:
            if tag != "span" and "li" not in self.tags():
                self.end()
        elif tag not in MARKS and tag not in ALIASES:
            raise Invalid(f"<{tag}> has no form in portable text")

    def leave(self, tag: str) -> None:
        """Take a closing tag; one that was never opened says nothing, as in browsers."""
        if tag not in self.tags():
            return
        while self.open.pop()[0] != tag:
            pass
        if tag == "li" or ("li" not in self.tags() and tag not in MARKS and tag not in ALIASES and tag not in ("a", "span")):
            self.end()

    def embed(self, text: str) -> None:
        """Take a block that HTML has no form for, as it was."""
        self.end()
        try:
            block = json.loads(text, parse_float=Decimal)
        except (ValueError, RecursionError):
            raise Invalid(f"{EMBEDDED} is not JSON: {shown(text)}") from None
        if not isinstance(block, dict):
            raise Invalid(f"{EMBEDDED} is {sort_of(block)}, not an object")
        self.blocks.append({**block, "_key": key_of(len(self.blocks), block)})


def link(given: Attributes) -> dict[str, str]:
    """Return the mark of a link; raises Invalid for attributes that would be lost."""
    found = dict(given)
    bad = next((name for name in found if name not in LINK), None)
    if bad or "href" not in found:
        why = f"has the attribute {bad}, which has" if bad else "without href has"
        raise Invalid(f"<a> {why} no form in portable text")
    return found


def key_of(*parts: Any) -> str:
    """Return the key of a block, span or link: of its place and content, so that it is the same each time."""
    return sha256(json.dumps(parts, sort_keys=True, default=float).encode()).hexdigest()[:12]


def block_of(draft: Draft, place: int) -> dict[str, Any]:
    """Return a finished block."""
    key = key_of(place, draft.style, draft.item, draft.level, draft.runs)
    links: dict[str, dict[str, str]] = {}
    spans = []
    for number, (text, marks) in enumerate(draft.runs or [("", ())]):
        names = []
        for mark in marks:
            name = mark
            if isinstance(mark, dict):
                name = key_of(key, mark)
                links[name] = mark
            if name not in names:
                names.append(name)
        spans.append({"_type": "span", "_key": key_of(key, number), "text": text, "marks": names})
    item = {"listItem": draft.item, "level": draft.level} if draft.item else {}
    defs = [{"_key": name, "_type": "link", **given} for name, given in links.items()]
    return {"_type": "block", "_key": key, "style": draft.style, **item, "markDefs": defs, "children": spans}


def blocks_of(raw: Native) -> Native:
    """Return the portable text of an HTML text; raises Invalid for what has no form there."""
    reader = Reader()
    for kind, body, given in outline(check_text(raw)):
        if kind == "text":
            reader.text(body)
        elif kind == "open":
            reader.enter(body, given)
            if len(reader.open) > MAX_DEPTH:
                raise Invalid(f"HTML is deeper than {MAX_DEPTH} levels")
        else:
            reader.leave(body)
    reader.end()
    return reader.blocks
