"""The demo's warehouse: a folder into which the whole stock list is dropped as CSV, again and again."""

import csv
import itertools
from pathlib import Path


class Warehouse:
    """The drop folder. Each ``drop`` is a new file with the whole list, written under another name and then renamed."""

    def __init__(self, folder: Path, stock: dict[str, int]) -> None:
        self.folder = folder
        self.stock = stock
        self._numbers = itertools.count(1)
        folder.mkdir(parents=True, exist_ok=True)
        self.drop()

    def drop(self, **counted: int) -> Path:
        """Write the list with some quantities changed; return the file."""
        self.stock.update({sku.replace("_", "-"): quantity for sku, quantity in counted.items()})
        path = self.folder / f"stock-{next(self._numbers):04}.csv"
        unfinished = path.with_suffix(".part")
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow(["sku", "qty"])
            writer.writerows(self.stock.items())
        return unfinished.rename(path)
