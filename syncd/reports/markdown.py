"""A page as Markdown, for pull requests and chat: the first rows in a table, the rest folded."""

from collections.abc import Sequence

from syncd.reports.page import Cell, Page, Section, beyond_title, text_of

ESCAPED = str.maketrans({char: "\\" + char for char in "\\`*_[]|#~"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})


def render(page: Page) -> str:
    """Return the page as GitHub-flavoured Markdown."""
    blocks = [f"## {_escape(page.title)}", _escape(beyond_title(page))]
    for part in page.parts:
        blocks += [_paragraph(part)] if isinstance(part, str) else _section(part)
    blocks.append(_escape(page.foot))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _escape(text: str) -> str:
    return text.translate(ESCAPED)


def _paragraph(text: str) -> str:
    return "\n".join(line.strip().translate(ESCAPED) + "  " for line in text.splitlines())


def _section(section: Section) -> list[str]:
    title = [f"### {_escape(section.title)}"] if section.title else []
    if not section.rows:
        return [*title, _escape(section.empty)]
    most = section.most or len(section.rows)
    blocks = [*title, _table(section, section.rows[:most])]
    if rest := section.rows[most:]:
        table = _table(section, rest)
        blocks.append(f"<details><summary>{len(rest):,} more</summary>\n\n{table}\n\n</details>")
    return blocks


def _table(section: Section, rows: Sequence[tuple[Cell | str, ...]]) -> str:
    heads = [_escape(column.title) for column in section.columns]
    marks = ["---:" if column.right else "---" for column in section.columns]
    lines = [[_escape(text_of(cell)) for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [heads, marks, *lines])
