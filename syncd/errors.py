"""What can go wrong. The docstring of each class is its meaning; instances carry data, not prose alone."""

from collections.abc import Iterable


class SyncdError(Exception):
    """Something syncd expects to go wrong and knows how to report."""


class ConfigError(SyncdError):
    """The config folder was not found or has errors; the command exits 78.

    ``diagnostics`` are the findings (``config.diagnostics.Diagnostic``) where files were read.
    """

    def __init__(self, message: str, diagnostics: Iterable[object] = ()) -> None:
        super().__init__(message)
        self.diagnostics = tuple(diagnostics)


class UsageError(SyncdError):
    """The command line asks for something that does not exist; the command exits 64."""


class LedgerError(SyncdError):
    """The ledger cannot be used as it is: too new, too old an SQLite, damaged, not writable."""


class LedgerLocked(LedgerError):  # noqa: N818 - the word of the design
    """Another syncd has this ledger; the command exits 75."""


class ConnectorError(SyncdError):
    """A platform did not do what was asked. Whose fault it was is the subclass."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class TransientError(ConnectorError):
    """The platform's trouble (down, slow, throttled, login): the same call may work later.

    ``retry_after`` is in seconds if the platform told. ``about_record`` is true for the answers that count as
    attempts of one record (408, 425, 5xx, an answer that cannot be read); false for those that pause the platform.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        about_record: bool = False,
    ) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after
        self.about_record = about_record


class PermanentError(ConnectorError):
    """The platform refuses this record as it is: sending the same again cannot work."""


class StaleWrite(ConnectorError):  # noqa: N818 - the word of the design
    """The thing was edited since we last read it; the guard refused our write."""


class OutcomeUnknown(ConnectorError):  # noqa: N818 - the word of the design
    """The request was sent and its answer did not come: it may or may not have been applied."""
