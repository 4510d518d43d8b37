"""A page as one HTML file: inline CSS, no script, nothing fetched; works from an e-mail attachment."""

from pathlib import Path

import jinja2

from syncd.reports.page import Page, Section, beyond_title, text_of, tone_of

TEMPLATE = Path(__file__).with_name("page.html.j2")


def render(page: Page) -> str:
    """Return the page as HTML; every text is escaped by the template engine."""
    env = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    env.tests["section"] = lambda part: isinstance(part, Section)
    env.filters |= {"words": text_of, "tone": tone_of, "beyond_title": beyond_title}
    return env.from_string(TEMPLATE.read_text(encoding="utf-8")).render(page=page) + "\n"
