"""HTML structure: what a browser shows alike is alike, and no text is too strange or too slow."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.markup import outline

SAME = [
    ("<p>a</p>", "<P>a</P>"),
    ("<p>a</p><p>b</p>", "<p>a</p>\n  <p>b</p>\n"),
    ("<p>a b</p>", "<p> a\n  b </p>"),
    ("<a href='x' class=y>t</a>", '<a class="y" href="x">t</a>'),
    ("<a href=x HREF=y>t</a>", '<a href="x">t</a>'),
    ("a<br>b", "a<br/> b"),
    ("a<br></br>b", "a<br>b"),
    ("a &amp; b", "a & b"),
    ("<p>a<!-- note --></p>", "<p>a</p>"),
    ("<!DOCTYPE html><p>a</p>", "<p>a</p>"),
    ("<?xml version='1'?><p>a</p>", "<p>a</p>"),
    ("<input disabled>", '<input disabled="">'),
    ("<input title=' a   b '>", '<input title="a b">'),
    ("a <b>b</b> c", "a  <b>b</b>\nc"),
    ("a <b> b</b>", "a <b>b</b>"),
    ("<p> <b>a</b></p>", "<p><b>a</b></p>"),
    ("a<", "a&lt;"),
    ("a < b", "a &lt; b"),
]

DIFFERENT = [
    ("<p>a</p>", "<p>b</p>"),
    ("<p>a</p>", "<div>a</div>"),
    ("<p>a</p>", "<p>a"),
    ("<b>a</b> <i>b</i>", "<b>a</b><i>b</i>"),
    ("<a href=x>t</a>", "<a href=y>t</a>"),
    ("a <img> b", "a <img>b"),
    ("<pre>a  b</pre>", "<pre>a b</pre>"),
    ("<script>a  </b> b</script>x", "<script>a </b> b</script>x"),
    ("<script>a", "<script>b"),
    ("a\u00a0b", "a b"),
    ("a <p", "a <q"),
    ("</pre>a  b", "</pre>c b"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_structure(one, other):
    assert outline(one) == outline(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_another_structure(one, other):
    assert outline(one) != outline(other)


def test_blanks_collapse_again_after_an_end_without_a_beginning():
    assert outline("</pre><b>a  b</b>") == outline("</pre><b>a b</b>")


@given(st.text(alphabet="<>/!-?&;=\"' abpre\n", max_size=60))
def test_every_text_has_a_structure(text):
    assert outline(text) == outline(text)


@pytest.mark.parametrize(
    "piece", ["<a", "<!--", "</", "<a b='", "<![CDATA[", "<?", "&", "<script>", "<script></script>", "<a ", "<a b=", "<"]
)
def test_no_text_takes_more_than_a_moment(piece):
    begun = time.process_time()
    outline(piece * 20_000)
    assert time.process_time() - begun < 2
