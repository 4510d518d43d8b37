"""Portable text: to HTML and back without loss, with the same keys each time; what has no form is refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.markup import outline
from syncd.core.portable_html import html_of
from syncd.core.portable_text import blocks_of
from syncd.core.transforms import opposite, parse_pipeline, parse_transform, round_trips, write_of
from syncd.core.values import Invalid


def without_keys(blocks):
    return [{name: value for name, value in block.items() if name not in ("_key", "markDefs", "children")} for block in blocks]


KEPT = [
    "",
    "<p>a</p>",
    "<p></p>",
    "<h1>Title</h1><p>a <strong>b <em>c</em></strong> d</p>",
    *(f"<h{n}>t</h{n}>" for n in range(1, 7)),
    "<blockquote>said</blockquote>",
    "<p>a<u>b</u><s>c</s><code>d</code></p>",
    "<p><em><strong>x</strong></em></p>",
    "<p>one<br>two</p>",
    "<p>1 &lt; 2 &amp; 3</p>",
    '<p><a href="https://x.example/?a=1&amp;b=2" target="_blank">l <strong>m</strong></a> n</p>',
    "<ul><li>a<ul><li>b</li><li>c</li></ul></li><li>d</li></ul>",
    "<ol><li>a<ul><li>b</li></ul></li></ol><p>x</p>",
    "<ul><li>a</li></ul><ol><li>b</li></ol>",
    "<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li><li>z</li></ul>",
]


@pytest.mark.parametrize("text", KEPT)
def test_html_comes_back(text):
    blocks = blocks_of(text)
    assert outline(html_of(blocks)) == outline(text)
    assert blocks_of(html_of(blocks)) == blocks  # keys and all


ONCE = [
    ("plain", "<p>plain</p>"),
    ("<div>x</div>", "<p>x</p>"),
    ("<p><b>x</b><i>y</i><del>z</del></p>", "<p><strong>x</strong><em>y</em><s>z</s></p>"),
    ("<blockquote><p>a</p><p>b</p></blockquote>", "<blockquote>a</blockquote><blockquote>b</blockquote>"),
    ("<ul><li><p>a</p></li></ul>", "<ul><li>a</li></ul>"),
    ("<p>a\n  b</p>\n<p>c</p>", "<p>a b</p><p>c</p>"),
]


@pytest.mark.parametrize(("text", "settled"), ONCE)
def test_another_spelling_settles_at_once(text, settled):
    assert html_of(blocks_of(text)) == settled
    assert html_of(blocks_of(settled)) == settled


REFUSED = [
    ("<table><tr><td>x</td></tr></table>", "<table> has no form"),
    ('<p class="x">a</p>', "<p> has the attribute class"),
    ('<img src="x">', "<img> has"),
    ("<ul><li><p>a</p><p>b</p></li></ul>", "several paragraphs"),
    ("<ul><p>a</p></ul>", "something else than items"),
    ("<a>x</a>", "without href"),
    ('<a href="x" onclick="y">x</a>', "attribute onclick"),
    ("<p>a</p><hr>", "<hr> has no form"),
    ("<pre>x</pre>", "<pre> has no form"),
    ('<div data-portable-text="{">', "is not JSON"),
    ('<div data-portable-text="[]">', "is a list, not an object"),
    ("<div>" * 40, "deeper than 32"),
    (5, "not text"),
]


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_what_has_no_form_is_refused(text, why):
    with pytest.raises(Invalid) as caught:
        blocks_of(text)
    assert why in str(caught.value)


def span(text="x", **more):
    return {"_type": "span", "text": text, "marks": [], **more}


def block(*children, **more):
    return {"_type": "block", "style": "normal", "markDefs": [], "children": list(children), **more}


STRANGE = [
    {"_type": "image", "asset": {"_ref": "image-1 2"}, "alt": 'a "b" <c>'},
    block(span(), style="lead"),
    block(span(marks=["highlight"])),
    block(span(marks=["k"]), markDefs=[{"_key": "k", "_type": "internalLink", "reference": {"_ref": "x"}}]),
    block(span(), {"_type": "emoji", "name": "cup"}),
    block(span(), align="right"),
    block(span(), listItem="checkbox", level=1),
    block(span(), listItem="bullet", level=1, style="h2"),
    {"_type": "code", "code": "a  b\n\tc"},
]


@pytest.mark.parametrize("strange", STRANGE)
def test_what_html_has_no_form_for_is_kept_inside(strange):
    text = html_of([block(span("before")), {**strange, "_key": "any"}, block(span("after"))])
    back = blocks_of(text)
    assert {name: value for name, value in back[1].items() if name != "_key"} == strange
    assert [back[0]["children"][0]["text"], back[2]["children"][0]["text"]] == ["before", "after"]
    assert html_of(back) == text


def test_a_deeper_list_item_alone_is_no_empty_item():
    text = html_of([block(span(), listItem="bullet", level=3)])
    assert without_keys(blocks_of(text)) == [{"_type": "block", "style": "normal", "listItem": "bullet", "level": 3}]


@pytest.mark.parametrize("raw", ["<p>x</p>", {"_type": "block"}, ["x"], [{"style": "normal"}], 5])
def test_no_portable_text(raw):
    with pytest.raises(Invalid):
        html_of(raw)


MARKS = st.lists(st.sampled_from(["strong", "em", "underline", "code", "strike-through"]), unique=True, max_size=3)
TEXT = st.text("ab<&\n", min_size=1, max_size=4)
SPANS = st.lists(st.builds(lambda t, m: span(t, marks=m), TEXT, MARKS), min_size=1, max_size=4)
ITEMS = st.sampled_from([{}, {"style": "h2"}, {"listItem": "bullet", "level": 1}, {"listItem": "number", "level": 2}])
BLOCKS = st.lists(st.builds(lambda s, i: block(*s, **i), SPANS, ITEMS), max_size=5)


@given(BLOCKS)
def test_blocks_settle_at_once(blocks):
    text = html_of(blocks)
    again = blocks_of(text)
    assert outline(html_of(again)) == outline(text)
    assert without_keys(again) == without_keys(blocks)


@given(st.text("<>/ap liue=\"'strong&", max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        blocks = blocks_of(text)
    except Invalid:
        return
    assert blocks_of(html_of(blocks)) == blocks or html_of(blocks_of(html_of(blocks))) == html_of(blocks)


def test_its_way_back_is_asked_for_by_name():
    read, write = parse_pipeline(["portable_text_to_html"]), parse_pipeline(["html_to_portable_text"], way="write")
    assert write_of(read) is None
    assert round_trips(read, write)
    assert round_trips(write, read)
    assert opposite(parse_transform("portable_text_to_html")).name == "html_to_portable_text"
