"""What stands in for a connector that could not be made."""

from collections.abc import AsyncIterator, Sequence
from typing import Self

from syncd.connectors.protocol import Batch, Delivery, Page, Rights
from syncd.core.model import Change, Native, Receipt, Write
from syncd.errors import ConnectorError, TransientError


class Unavailable:
    """Stands for a connector that could not be made; every call says why."""

    clock = (0, 0)

    def __init__(self, error: ConnectorError) -> None:
        self._why = str(error)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    def _refuse(self) -> TransientError:
        return TransientError(self._why)

    async def changes(self, collection: str, cursor: str | None) -> AsyncIterator[Batch]:  # noqa: ARG002
        """Refuse."""
        raise self._refuse()
        yield Batch(())

    async def scan(self, collection: str) -> AsyncIterator[Page]:  # noqa: ARG002
        """Refuse."""
        raise self._refuse()
        yield Page(())

    async def hook(self, collection: str | None, delivery: Delivery) -> Batch:  # noqa: ARG002
        """Refuse."""
        raise self._refuse()

    async def read(self, collection: str, ids: Sequence[str]) -> list[Change]:  # noqa: ARG002
        """Refuse."""
        raise self._refuse()

    async def find(self, collection: str, path: str, value: Native) -> list[Change]:  # noqa: ARG002
        """Refuse."""
        raise self._refuse()

    async def rights(self, collection: str) -> Rights:  # noqa: ARG002
        """Refuse."""
        raise self._refuse()

    async def apply(self, writes: Sequence[Write]) -> list[Receipt | ConnectorError]:  # noqa: ARG002
        """Refuse."""
        raise self._refuse()
