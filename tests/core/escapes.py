"""Ways out of an expression that people have found in other languages, and random expressions, for ``test_escapes``."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Context, Decimal, DecimalException
from random import Random

TECHNIQUES = {
    "dunder attribute": "().__class__",
    "dunder chain": "().__class__.__bases__[0].__subclasses__()",
    "dunder of a text": "''.__class__.__mro__[1]",
    "dunder of a name": "sap.name.__class__",
    "dunder as a part": "sap.__class__.__init__.__globals__",
    "raw internals": "sap.raw.__class__.__base__",
    "subscript on internals": "sap.raw['__class__']['__mro__'] + 1",
    "subscript on a function": "lower['__globals__']",
    "function as a value": "lower",
    "function of a function": "lower(lower)",
    "builtins": "__builtins__['eval']",
    "import": "__import__('os').system('id')",
    "getattr": "getattr(sap, 'name')",
    "getattr of a text": "getattr('', '__class__')",
    "hasattr": "hasattr(1, 'real')",
    "eval": "eval('1+1')",
    "exec": "exec('x=1')",
    "compile": "compile('1', '', 'eval')",
    "open": "open('/etc/passwd')",
    "type": "type('X', (), {})",
    "type of a name": "type(sap)",
    "vars": "vars()",
    "globals": "globals()['x']",
    "locals": "locals()",
    "dir": "dir(sap)",
    "id": "id(1)",
    "input": "input()",
    "print": "print(1)",
    "breakpoint": "breakpoint()",
    "exit": "exit()",
    "chr": "chr(95)+chr(95)",
    "lambda": "(lambda: 1)()",
    "lambda as argument": "sorted([1], lambda x: x)",
    "list comprehension": "[x for x in [1]]",
    "leaking comprehension": "[x.__class__ for x in [1]][0]",
    "generator": "(x for x in [1])",
    "generator as argument": "sum(x for x in [1])",
    "generator frame": "(x for x in [1]).gi_frame",
    "set comprehension": "{x for x in [1]}",
    "dict": "{'a': 1}",
    "dict unpacking": "{**sap}",
    "star argument": "max(*[1, 2])",
    "double star argument": "max(**sap)",
    "keyword argument": "round(1.5, places=1)",
    "keyword key": "sorted([1], key=eval)",
    "default": "max([], default=eval)",
    "starred list": "[*sap]",
    "walrus": "(x := 5)",
    "walrus in call": "max(x := 5, 2)",
    "f-string": "f'{sap.__class__}'",
    "f-string nested": "f'{f\"{().__class__}\"}'",
    "format method": "'{0.__class__}'.format(1)",
    "format map": "'{x}'.format_map(sap)",
    "percent format": "'%s' % sap.name",
    "percent width": "'%1000000000d' % 1",
    "bytes": "b'x'",
    "raw string": "r'x'",
    "chained methods": "sap.name.upper().lower()",
    "method of a literal": "'a'.join(['b'])",
    "method of a call": "lower('A').upper()",
    "method of a list": "[1].append(2)",
    "method of a number": "1 .real",
    "yield": "(yield 1)",
    "yield from": "(yield from [1])",
    "await": "await sap",
    "async comprehension": "[x async for x in sap]",
    "decorator": "1\n@eval\ndef f(): pass",
    "statement": "import os",
    "two statements": "1; import os",
    "two lines": "1\nimport os",
    "assignment": "sap.name = 1",
    "augmented": "sap.price += 1",
    "delete": "del sap",
    "assert": "assert 0",
    "raise": "raise ValueError",
    "class": "class X: pass",
    "global": "global x",
    "with": "with open('x') as f: 1",
    "match": "match 1:\n case _: 1",
    "slice": "sap.name[0:1]",
    "slice all": "[1, 2][:]",
    "ellipsis": "...",
    "power": "9 ** 9 ** 9",
    "power of a name": "sap.price ** sap.price",
    "shift": "1 << 1000000000",
    "huge integer": "9" * 1900,
    "huge exponent": "1e999999999",
    "huge negative exponent": "1e-999999999",
    "huge float": "1.0e308 * 1e308",
    "complex": "1j",
    "infinity": "float('inf')",
    "infinity as number": "number('Infinity')",
    "nan": "number('NaN')",
    "number with exponent": "number('1e999999999')",
    "huge hexadecimal": "0x" + "f" * 500,
    "underscored": "1_0",
    "repetition": "'a' * 1000000000",
    "repetition of a list": "[1] * 1000000000",
    "repetition reversed": "1000000000 * 'a'",
    "nested lists": "[" * 300 + "]" * 300,
    "deep parentheses": "(" * 900 + "1" + ")" * 900,
    "deep nots": "not " * 450 + "true",
    "deep minus": "-" * 1500 + "1",
    "deep choice": "1 if 1 else " * 160 + "1",
    "deep sum": "1+" * 900 + "1",
    "deep path": "sap.raw" + ".a" * 900 + "()",
    "deep subscripts": "split('a','b')" + "[0]" * 400,
    "deep calls": "lower(" * 300 + "'a'" + ")" * 300,
    "long chain of comparisons": "1<" * 900 + "1",
    "growing text": "replace(" * 28 + "'aaaaaaaaaaaaaaaaaaaa'" + ",'a','aaaaaaaaaaaaaaaaaaaa')" * 28,
    "growing join": "join(split(sap.raw.big, 'a'), sap.raw.big)",
    "growing sum": "+".join(["sap.raw.big"] * 50),
    "many lists": "unique(sap.raw.long)",
    "many members": "[sap.raw.long in [sap.raw.long], sorted(sap.raw.long) == unique(sap.raw.long)]",
    "split into letters": "length(split(sap.raw.big, 'a'))",
    "null byte": "1\0 + 1",
    "null byte in a text": "'\0'.x",
    "encoding cookie": "# -*- coding: utf-7 -*-\n1",
    "form feed": "1\f+\f().x",
    "backslash continuation": "1 + \\\n ().x",
    "comment": "1 # + 1",
    "byte order mark": "\ufeff1",
    "right to left": "\u202e1 + 1",
    "look-alike name": "s\u0430p.name",
    "full width name": "\uff53\uff41\uff50.name",
    "full width function": "\uff45\uff56\uff41\uff4c('1')",
    "full width dunder": "sap.\uff3f\uff3fclass\uff3f\uff3f",
    "ligature": "\ufb01eld",
    "mathematical letters": "\U0001d489\U0001d48a",
    "other digits": "\u0661 + \u0662",
    "superscript": "2\u00b2",
    "surrogate": "'\ud800' + \ud800",
    "triple quotes": "'''a'''.x",
    "string prefix": "u'x'",
    "implicit joining": "'a' 'b'",
    "escaped name": "'\\N{LATIN SMALL LETTER A}' + 1",
    "backtick": "`id`",
    "template": "${sap.name}",
    "jinja": "{{ sap.__class__ }}",
    "pattern that explodes": "matches(sap.raw.big, '(a+)+$') and 1 > 'a'",
    "pattern with a back-reference": "matches('aa', '(a)\\\\1')",
    "pattern from data": "matches('a', sap.raw.big)",
    "pattern with a flag": "matches('a', '(?i)A')",
    "pattern that looks ahead": "matches('a', '(?=a)')",
    "pattern with code": "matches('a', '(?{1})')",
    "pattern of repeats": "matches('a', '((((a{99}){99}){99}){99})')",
    "pattern deep": f"matches('a', '{'(' * 500}a{')' * 500}')",
    "sql": "1' OR '1'='1",
    "shell": "$(id)",
}
SLOW = ("matches(sap.raw.big, '(a+)+$')", "matches(sap.raw.big, '.*.*.*.*x')", "matches(sap.raw.big, '(a|a|a)*b')")


def variants(text: str) -> Iterator[str]:
    """Yield the same idea in other clothes; most stay within the length that is read."""
    yield text
    yield f"  {text}\t"
    yield f"\n{text}\n"
    yield f"({text})"
    yield f"(({text}))"
    yield f"[{text}]"
    yield f"({text},)"
    yield f"lower({text})"
    yield f"coalesce(null, {text})"
    yield f"max(1, ({text}))"
    yield f"text({text}) + 'x'"
    yield f"true and ({text})"
    yield f"not ({text})"
    yield f"1 if {text} else 2"
    yield f"{text} if true else 1"
    yield f"first([{text}])"
    yield f"({text})[0]"
    yield f"({text}).x"
    yield f"({text})()"
    yield f"{text} == {text}"
    yield text.replace("(", " ( ").replace(".", " . ")
    yield text.replace("_", "\uff3f")
    yield text.replace("a", "\uff41")
    yield text.replace("'", '"')
    yield text.replace(" ", "\u00a0")
    yield text.upper()


SOUP = (
    *[
        "sap.name",
        "sap.price",
        "golden.price",
        "sap.raw.x",
        "sap.raw.long",
        "sap.raw.big",
        "sap.tags",
        "sap.launch",
        "true",
        "false",
        "null",
        "None",
    ],
    *[
        "and",
        "or",
        "not",
        "in",
        "is",
        "if",
        "else",
        "lambda",
        "for",
        "await",
        "yield",
        "__class__",
        "__import__",
        "eval",
        "getattr",
        "x",
        "а",
        "ａ",
    ],
    *[
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".",
        ":",
        ";",
        "=",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "**",
        "&",
        "|",
        "^",
        "~",
        "!",
        "?",
        "@",
        "#",
        "$",
        "\\",
        "`",
        "'",
        '"',
        "''",
        "'a'",
        '"b"',
        "'it'",
        "\n",
        "\x00",
        "\t",
    ],
    *["0", "1", "2", "12.50", ".5", "1e5", "99999999999999999999", "0x1", "1_0", "1j"],
    *[
        "lower(",
        "upper(",
        "round(",
        "max(",
        "min(",
        "sum(",
        "coalesce(",
        "matches(",
        "split(",
        "join(",
        "replace(",
        "text(",
        "number(",
        "date(",
        "now()",
        "today()",
    ],
    *[
        "days_since(",
        "contains(",
        "is_absent(",
        "unique(",
        "sorted(",
        "first(",
        "any(",
        "all(",
        "length(",
        "[0]",
        "['a']",
        ".class",
        ".0",
        "...",
    ],
)


def soup(random: Random) -> str:
    """Return words of expressions in any order."""
    return random.choice(("", " ")).join(random.choice(SOUP) for _ in range(random.randint(1, 14)))


def formed(random: Random, deep: int = 4) -> str:
    """Return an expression that can be read, of any kinds."""
    if deep <= 0 or random.random() < 0.2:
        return random.choice(
            (*SOUP[:12], "1", "0", "2.5", "'a'", "'12'", "[]", "[1, 'a', null]", "sap.raw.list", "sap.raw.text")
        )
    one, other, third = (formed(random, deep - 1) for _ in range(3))
    sort = random.randrange(8)
    if sort == 0:
        return f"({one} {random.choice(('+', '-', '*', '/', '//', '%'))} {other})"
    if sort == 1:
        return f"({one} {random.choice(('==', '!=', '<', '<=', '>', '>=', 'in', 'not in'))} {other})"
    if sort == 2:
        return f"({one} {random.choice(('and', 'or'))} {other})"
    if sort == 3:
        return f"{random.choice(('not ', '-', '+'))}({one})".join("()")
    if sort == 4:
        return f"({one} if {other} else {third})"
    if sort == 5:
        return f"[{one}, {other}]"
    name = random.choice(
        (
            "lower",
            "length",
            "round",
            "abs",
            "min",
            "max",
            "sum",
            "coalesce",
            "text",
            "number",
            "date",
            "any",
            "first",
            "unique",
            "sorted",
            "trim",
            "floor",
        )
    )
    if sort == 6:
        return f"{name}({one})"
    return f"{random.choice(('max', 'contains', 'split', 'round', 'join', 'days_between', 'starts_with'))}({one}, {other})"


EXACT = Context(prec=28, rounding=ROUND_HALF_UP)


def sums(random: Random, deep: int = 4) -> tuple[str, Decimal | None]:
    """Return arithmetic as text and its value, None where it divides by zero; never beyond 28 digits before the point."""
    if deep <= 0 or random.random() < 0.2:
        text = random.choice((str(random.randint(0, 99)), f"{random.randint(0, 99)}.{random.randint(0, 999)}"))
        return text, Decimal(text)
    (one, a), (other, b) = sums(random, deep - 1), sums(random, deep - 1)
    sign = random.choice("+-*/")
    text = f"({one} {sign} {other})"
    if a is None or b is None or (sign == "/" and not b):
        return text, None
    work = {"+": EXACT.add, "-": EXACT.subtract, "*": EXACT.multiply, "/": EXACT.divide}[sign]
    try:
        return text, work(a, b)
    except DecimalException:
        return text, None
