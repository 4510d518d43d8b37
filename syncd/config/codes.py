"""Every code of the config, in one table: ``syncd help CODE`` and ``docs/errors.md`` are made from it.

E0xx file and value, E1xx unknown or missing key, E2xx meaning of rules, E3xx answers of platforms; W is a warning. Codes are
never used again for something else.
"""

import sys
from itertools import groupby

from syncd.config import filecodes, onlinecodes, rulecodes
from syncd.config.code import Code

GROUPS = {"0": "Files and values", "1": "Unknown and missing keys", "2": "Meaning of rules", "3": "Answers of platforms"}
INTRODUCTION = """\
Made from `syncd/config/codes.py`; the same texts as `syncd help CODE`. `syncd check` prints each finding as
`file:line:col: level code: message`, with the line underlined, why it matters and what to write instead.
"""
CODES: dict[str, Code] = {one.code: one for one in (*filecodes.TABLE, *rulecodes.TABLE, *onlinecodes.TABLE)}


def page() -> str:
    """Return ``docs/errors.md``."""
    parts = [
        "# Errors and warnings of the config\n",
        INTRODUCTION,
    ]
    ordered = sorted(CODES.values(), key=lambda one: (one.code[1], one.code[0], one.code))
    for digit, codes in groupby(ordered, key=lambda one: one.code[1]):
        parts.append(f"## {GROUPS[digit]}\n")
        parts.extend(code.markdown() for code in codes)
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
