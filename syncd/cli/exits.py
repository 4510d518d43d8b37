"""Exit codes, in one place: what each means, which error gives which, and which wins where several apply."""

from collections.abc import Iterable

from syncd.errors import ConfigError, LedgerLocked, SyncdError, UsageError

OK = 0
FAILED = 1
DIFFERENT = 2  # only if asked for with --exit-code
INCOMPLETE = 3  # a platform could not be read
STOPPED = 4  # by a safety limit
REFUSED = 5  # needs --yes, or another mode
USAGE = 64
NO_DAEMON = 69
LOCKED = 75
BAD_CONFIG = 78
INTERRUPTED = 130

ORDER = (BAD_CONFIG, USAGE, NO_DAEMON, LOCKED, FAILED, STOPPED, INCOMPLETE, REFUSED, DIFFERENT, OK)


class Refused(SyncdError):  # noqa: N818 - the word of the exit code
    """The command would not do it without a word from its user; it exits 5."""


class NoDaemon(SyncdError):  # noqa: N818 - the word of the exit code
    """The command needs a running daemon; it exits 69."""


class Failed(SyncdError):  # noqa: N818 - carries the code of a daemon's answer
    """The work was not done; ``code`` is the exit code that says why."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


CODES: tuple[tuple[type[BaseException], int], ...] = (
    (ConfigError, BAD_CONFIG),
    (UsageError, USAGE),
    (LedgerLocked, LOCKED),
    (NoDaemon, NO_DAEMON),
    (Refused, REFUSED),
    (KeyboardInterrupt, INTERRUPTED),
)


def code_of(error: BaseException) -> int:
    """Return the exit code of an error; 1 for any that has none of its own."""
    if isinstance(error, Failed):
        return error.code
    return next((code for kind, code in CODES if isinstance(error, kind)), FAILED)


def worst(codes: Iterable[int]) -> int:
    """Return the code that is reported where several apply."""
    found = set(codes)
    return next((code for code in ORDER if code in found), max(found, default=OK))
