"""The expressions of the rule language: text in, a checked formula out, compiled once.

An expression has no way to anything but the names it is given and the functions of the table, ends within 10,000 steps, and
gives a value or ``Failed``. What is wrong with a text is found before it ever runs (``Wrong``, all of it at once). Null has
a meaning in every operator: equal only to null, no order, nothing to calculate with, false as a condition; so has absent.
"""

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from syncd.core.formula import Compiler
from syncd.core.native import ABSENT
from syncd.core.operands import ANY, MAX_STEPS, NULL, TRUTH, Failed, as_operand, canonical_of, is_true, kind_of_type
from syncd.core.parts import Expression, Name
from syncd.core.scope import Meaning, Names, function_problem, meaning_of
from syncd.core.tokens import LITERALS, MAX_NESTED, Problem, Token, Words, read_words, refuse

__all__ = [
    "ABSENT",
    "TRUTH",
    "Expression",
    "Failed",
    "Formula",
    "Names",
    "Problem",
    "Wrong",
    "as_operand",
    "canonical_of",
    "compile_expression",
    "is_true",
    "kind_of_type",
]

MAX_DEPTH = 60  # of the tree
HINT = "a condition is  a == b and c > 1 ; a choice is  a if b else c"


class Wrong(ValueError):  # noqa: N818 - the word for it
    """A text is no expression. ``problems`` has everything that is wrong, in the order of the text."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Formula:
    """A compiled expression. ``gives`` is the kind of operand it gives where that is known before it runs, else "anything"."""

    text: str
    names: tuple[Name, ...]
    timed: bool
    gives: str = field(compare=False)
    run: Callable[[Callable[[Name], Any], list[int]], Any] = field(compare=False, repr=False)

    def __call__(self, look: Callable[[Name], Any], now: int) -> Any:
        """Return the value; null where there is none. Raises Failed with the reason."""
        return self.run(look, [now, MAX_STEPS])


def compile_expression(text: str, names: Names, want: str = ANY) -> Formula:
    """Return the compiled expression; raises Wrong. ``want`` is the kind that is needed (``TRUTH`` for a condition)."""
    words = read_words(text)
    meanings, problems = meanings_of(words, names)
    problems += words.problems
    if not problems:
        formula = build(text, words, meanings, want, problems)
        if formula and not problems:
            return formula
    else:
        look_at_kinds(text, words, meanings, problems)
    raise Wrong(tuple(sorted(dict.fromkeys(problems))))


def meanings_of(words: Words, names: Names) -> tuple[dict[int, Meaning], list[Problem]]:
    """Return what the names in a text mean, by their places, and those that mean nothing."""
    meanings: dict[int, Meaning] = {}
    problems: list[Problem] = []
    for token in words.tokens:
        if token.sort == "call" and (problem := function_problem(token)):
            problems.append(problem)
        elif token.sort == "name" and token.text not in LITERALS:
            found = meaning_of(token, names)
            if isinstance(found, Problem):
                problems.append(hyphened(words, token, found))
            else:
                meanings[token.start] = found
    return meanings, problems


def hyphened(words: Words, token: Token, problem: Problem) -> Problem:
    """Return the problem of a name; one right behind ``NAME-`` may be the rest of that name."""
    at = words.tokens.index(token)
    before = words.tokens[max(0, at - 2) : at]
    touching = len(before) == 2 and before[0].end == before[1].start and before[1].end == token.start
    if not touching or before[1].text != "-" or before[0].sort != "name":
        return problem
    head, _, last = before[0].text.rpartition(".")
    whole = f'{head or "PLATFORM.raw"}["{last}-{token.text}"]'
    return problem._replace(
        hint="one name with a minus in it?", fix=f"a name with a minus in it is written  {whole}\n{problem.fix}"
    )


def build(text: str, words: Words, meanings: dict[int, Meaning], want: str, problems: list[Problem]) -> Formula | None:
    """Return the formula of a text whose words are in order, or None with what is wrong in ``problems``."""
    tree = parsed(words, problems)
    if tree is None:
        return None
    compiler = Compiler(text, words.tokens, meanings)
    part = compiler.part(tree)
    problems += compiler.problems
    run = part.run
    if want is TRUTH:
        if part.kind not in (TRUTH, ANY, NULL):
            before = len(compiler.problems)
            _, run = compiler.truth(tree)
            problems += [one for one in compiler.problems[before:] if one not in problems]
    elif want is not ANY and part.kind not in (want, ANY, NULL):
        problems.append(refuse(0, len(text), f"this gives {part.kind}, and {want} is needed"))
    asked = tuple(dict.fromkeys(meanings[start].name for start in sorted(meanings)))
    return Formula(text, asked, compiler.timed, part.kind, run)


def look_at_kinds(text: str, words: Words, meanings: dict[int, Meaning], problems: list[Problem]) -> None:
    """Find wrong kinds too in a text that has unknown names, if it can be read."""
    if words.problems:
        return
    found: list[Problem] = []
    build(text, words, meanings, ANY, found)
    problems += found


def parsed(words: Words, problems: list[Problem]) -> ast.expr | None:
    """Return the tree of the mask; Python's parser sees nothing else."""
    try:
        tree = ast.parse(f"({words.mask})", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        problems.append(unread(words, (getattr(error, "offset", None) or 2) - 2))
        return None
    if depth_of(tree) > MAX_DEPTH:
        problems.append(refuse(0, len(words.mask), f"nested deeper than {MAX_DEPTH} levels", fix="make it simpler"))
        return None
    return tree


def unread(words: Words, at: int) -> Problem:
    """Return what to say of a text that Python's parser does not read, though its words are in order."""
    choices = [token for token in words.tokens if token.sort == "word" and token.text in ("if", "else")]
    if choices and sum(1 if token.text == "if" else -1 for token in choices):
        one = choices[-1]
        other = "else" if one.text == "if" else "if"
        return refuse(one.start, one.end, f'"{one.text}" without "{other}"', fix="a choice is  a if b else c")
    near = next((token for token in words.tokens if token.end > at), words.tokens[-1])
    return refuse(near.start, near.end, "this cannot be read as an expression", fix=HINT)


def depth_of(tree: ast.AST) -> int:
    """Return how deep a tree is, without recursion."""
    depth, level = 0, [tree]
    while level and depth <= MAX_DEPTH + MAX_NESTED:
        depth += 1
        level = [child for node in level for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    return depth
