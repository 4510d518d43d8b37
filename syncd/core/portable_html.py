"""From portable text to HTML. A block that HTML has no form for (an image, a style of one's own) is kept inside as JSON.

Nothing is dropped but keys, which are made anew (``core.portable_text``), and blanks that HTML does not count.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from syncd.core.model import Native
from syncd.core.native import Invalid, shown, sort_of
from syncd.core.portable_text import EMBEDDED, LINK, LISTS, MARKS, STYLES

TAGS = {style: tag for tag, style in STYLES.items()}
MARK_TAGS = {mark: tag for tag, mark in MARKS.items()}
LIST_TAGS = {item: tag for tag, item in LISTS.items()}
BLOCK = {"_type", "_key", "style", "listItem", "level", "markDefs", "children"}
SPAN = {"_type", "_key", "text", "marks"}


def html_of(raw: Native) -> Native:
    """Return the HTML of portable text; raises Invalid for what is none."""
    if not isinstance(raw, list | tuple):
        raise Invalid(f"portable text is a list of blocks, and {shown(raw)} is {sort_of(raw)}")
    bad = next((block for block in raw if not isinstance(block, Mapping) or not isinstance(block.get("_type"), str)), None)
    if bad is not None:
        raise Invalid(f"a block of portable text is an object with a _type, and {shown(bad)} is not")
    return "".join(pieces(raw))


def pieces(blocks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the HTML of blocks in order; list items that follow each other are one list."""
    open_lists: list[str] = []
    for block in blocks:
        if is_simple(block) and "listItem" in block:
            yield from steps_to(open_lists, [*open_lists[: block.get("level", 1) - 1], LIST_TAGS[block["listItem"]]], block)
            yield f"<li>{inline(block)}"
            continue
        yield from close(open_lists, 0)
        if not is_simple(block):
            yield embedded(block)
            continue
        tag = TAGS[block.get("style", "normal")]
        yield f"<{tag}>{inline(block)}</{tag}>"
    yield from close(open_lists, 0)


def steps_to(open_lists: list[str], wanted: list[str], block: Mapping[str, Any]) -> Iterator[str]:
    """Yield the tags between the list that is open and the one of the next item; a level that is left out is opened too."""
    level = block.get("level", 1)
    while len(wanted) < level:
        wanted.insert(0, wanted[-1])
    same = 0
    while same < min(len(open_lists), len(wanted)) and open_lists[same] == wanted[same]:
        same += 1
    if same == len(wanted):
        yield from close(open_lists, same)
        yield "</li>"
        return
    yield from close(open_lists, same)
    for number, tag in enumerate(wanted[same:], same):
        if number and number > same:
            yield "<li>"
        open_lists.append(tag)
        yield f"<{tag}>"


def close(open_lists: list[str], depth: int) -> Iterator[str]:
    """Yield what closes the lists that are deeper than this."""
    while len(open_lists) > depth:
        yield f"</li></{open_lists.pop()}>"


def is_simple(block: Mapping[str, Any]) -> bool:
    """Return whether HTML has a form for all that a block says."""
    if block["_type"] != "block" or not block.keys() <= BLOCK or block.get("style", "normal") not in TAGS:
        return False
    spans, links = block.get("children"), block.get("markDefs") or []
    if not isinstance(spans, list) or not isinstance(links, list) or not all(map(is_link, links)):
        return False
    known = {*MARK_TAGS, *(one["_key"] for one in links)}
    return is_item(block) and all(is_span(span, known) for span in spans)


def is_item(block: Mapping[str, Any]) -> bool:
    """Return whether a block is no list item, or a plain one."""
    if "listItem" not in block:
        return "level" not in block
    level = block.get("level", 1)
    good = block.get("style", "normal") == "normal" and type(level) is int and 1 <= level <= 10
    return good and block["listItem"] in LIST_TAGS


def is_link(one: object) -> bool:
    """Return whether an annotation is a link that HTML can hold."""
    if not isinstance(one, Mapping) or one.get("_type") != "link" or not isinstance(one.get("_key"), str):
        return False
    given = {name: value for name, value in one.items() if name not in ("_type", "_key")}
    return "href" in given and given.keys() <= set(LINK) and all(isinstance(value, str) for value in given.values())


def is_span(span: object, known: set[str]) -> bool:
    """Return whether a child is a text with known marks."""
    if not isinstance(span, Mapping) or span.get("_type") != "span" or not span.keys() <= SPAN:
        return False
    marks = span.get("marks") or []
    return isinstance(span.get("text"), str) and isinstance(marks, list) and all(mark in known for mark in marks)


def embedded(block: Mapping[str, Any]) -> str:
    """Return a block as JSON inside a tag; blanks are written out, because HTML does not count them."""
    kept = {name: value for name, value in block.items() if name != "_key"}
    try:
        text = json.dumps(kept, sort_keys=True, separators=(",", ":"), default=float)
    except (TypeError, ValueError):
        raise Invalid(f"a block of portable text is not JSON: {shown(block)}") from None
    return f'<div {EMBEDDED}="{escape(text.replace(" ", chr(92) + "u0020"))}"></div>'


def inline(block: Mapping[str, Any]) -> str:
    """Return the spans of a block, each mark a tag around the spans that have it."""
    links = {one["_key"]: one for one in block.get("markDefs") or []}
    made: list[str] = []
    open_marks: list[str] = []
    for span in [*block["children"], {"text": "", "marks": []}]:
        marks = list(dict.fromkeys(span.get("marks") or []))
        same = 0
        while same < min(len(marks), len(open_marks)) and marks[same] == open_marks[same]:
            same += 1
        while len(open_marks) > same:
            made.append(f"</{tag_of(open_marks.pop(), links)}>")
        for mark in marks[same:]:
            made.append(opening(mark, links))
            open_marks.append(mark)
        made.append(escape(span["text"], quote=False).replace("\n", "<br>"))
    return "".join(made)


def tag_of(mark: str, links: Mapping[str, Mapping[str, str]]) -> str:
    """Return the tag of a mark."""
    return "a" if mark in links else MARK_TAGS[mark]


def opening(mark: str, links: Mapping[str, Mapping[str, str]]) -> str:
    """Return the opening tag of a mark."""
    if mark not in links:
        return f"<{MARK_TAGS[mark]}>"
    given = "".join(f' {name}="{escape(links[mark][name])}"' for name in LINK if name in links[mark])
    return f"<a{given}>"
