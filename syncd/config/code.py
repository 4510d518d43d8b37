"""One code of the config: what it means, an example, what to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One code: what it is called, what causes it, an example that has it and the same without, and what to do."""

    code: str
    title: str
    cause: str
    wrong: str
    right: str
    fix: str

    @property
    def level(self) -> str:
        """``error`` or ``warning``."""
        return "warning" if self.code.startswith("W") else "error"

    def text(self) -> str:
        """Return the explanation for a terminal."""
        example = [f"    {line}" for line in self.wrong.split("\n")]
        better = [f"    {line}" for line in self.right.split("\n")]
        head = [f"{self.code}  {self.title}  ({self.level})", "", *_wrapped(self.cause), ""]
        return "\n".join([*head, "for example", *example, "write", *better, "", *_wrapped(self.fix)])

    def markdown(self) -> str:
        """Return the explanation as a part of a page."""
        return (
            f"### {self.code}\n\n**{self.title}** ({self.level}). {self.cause}\n\n"
            f"```yaml\n# {self.code}\n{self.wrong}\n# good\n{self.right}\n```\n\n{self.fix}\n"
        )


def _wrapped(text: str, width: int = 92) -> list[str]:
    """Return a text as lines of a readable width."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) + 1 > width:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines
