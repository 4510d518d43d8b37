"""The rows of a file that is to be written: writes are done to them in memory, and then the file is written whole."""

from collections.abc import Mapping

from syncd.connectors.body import pick, placed
from syncd.connectors.file_formats import FileCollection, cell_of, content_of, stored
from syncd.connectors.protocol import Collection
from syncd.core.model import Answer, Item, Native, Op, Receipt, Write
from syncd.errors import ConnectorError, PermanentError, StaleWrite


class Sheet:
    """``rows`` are what the file will hold, ``known`` all rows that count now; ``like`` is the file that it takes after."""

    def __init__(self, collection: Collection, rows: dict[str, Item], known: Mapping[str, Item], like: bytes) -> None:
        self.rows = rows
        self.touched = False
        self._collection = collection
        self._options: FileCollection = collection.options
        self._known = known
        self._like = like

    def put(self, write: Write) -> Receipt | ConnectorError:
        """Do one write; one that is refused leaves the rows as they are."""
        try:
            self._check_mapped(write)
            return self._created(write) if write.op is Op.CREATE else self._changed(write, write.id or "")
        except ConnectorError as error:
            return error

    def content(self) -> bytes:
        """Return the bytes of the file as it is to be."""
        return content_of(list(self.rows.values()), self._options, like=self._like)

    def _created(self, write: Write) -> Receipt:
        named = pick(write.values, self._options.id)
        if named is None or not str(named).strip():
            raise PermanentError(f"a new row needs its {self._options.id}: map it")
        native_id = str(named)
        if native_id in self.rows or native_id in self._known:
            return Receipt(Answer.EXISTS, native_id)
        self._set(native_id, self._with({}, write))
        return Receipt(Answer.DONE, native_id)

    def _changed(self, write: Write, native_id: str) -> Receipt:
        current = self.rows.get(native_id, self._known.get(native_id))
        if current is None and self._options.full:
            return Receipt(Answer.GONE, native_id)
        if current is None:
            current = write.item or placed({}, self._options.id, native_id)
        for path, before in write.before.items():
            if not self._same(path, before, pick(current, path)):
                raise StaleWrite(f"{path} was edited since it was read")
        if write.op is Op.DELETE:
            self._remove(native_id)
        else:
            self._set(native_id, self._with(current, write))
        return Receipt(Answer.DONE, native_id)

    def _remove(self, native_id: str) -> None:
        if not self._options.full:
            raise PermanentError("a file of changes cannot say that a row is gone")
        del self.rows[native_id]
        self.touched = True

    def _with(self, item: Item, write: Write) -> Item:
        for path, value in write.values.items():
            try:
                item = placed(item, path, value)
            except ValueError as error:
                raise PermanentError(f"{path}: {error}") from error
        return item

    def _set(self, native_id: str, item: Item) -> None:
        if str(pick(item, self._options.id)) != native_id:
            raise PermanentError(f"{self._options.id} is the id: it is not rewritten")
        shown = stored(item, self._options)
        content_of([shown], self._options)  # refuses letters that the encoding does not have
        self.rows[native_id] = shown
        self.touched = True

    def _same(self, path: str, one: Native, other: Native) -> bool:
        if self._options.format == "csv":
            return cell_of(path, one) == cell_of(path, other)
        return bool(one == other)

    def _check_mapped(self, write: Write) -> None:
        for path in write.values:
            if path not in self._collection.writes:
                raise PermanentError(f"{self._collection.name}.{path} is not mapped for writing")
