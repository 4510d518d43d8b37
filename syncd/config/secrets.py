"""Secrets by reference: where they are looked up, set and listed. A value is never printed, kept or put into a message.

The order is systemd's credentials (``syncd_NAME``, then ``NAME``), the folder ``secrets_dir`` (mode 0600 enforced), and
last the environment (``SYNCD_SECRET_NAME``, a warning). Every look-up reads again, so a reload sees a changed secret.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from syncd.errors import ConfigError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
REFERENCE = "secret:"


@dataclass(frozen=True, slots=True)
class Found:
    """Where a secret is: ``credential``, ``folder``, ``environment``, or ``none`` with the reason."""

    source: str
    place: str
    value: str | None = None

    def __repr__(self) -> str:
        return f"Found({self.source}, {self.place})"


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets that this process can read."""

    environ: Mapping[str, str]
    folder: Path | None = None

    def find(self, name: str) -> Found:
        """Return where a secret is, with its value; a secret that may not be used is as good as none."""
        if not NAME.fullmatch(name):
            return Found("none", f'"{name}" is no name for a secret')
        why = "not in the credentials, secrets_dir or environment"
        for source, path in self._files(name):
            if path.is_file():
                found = _read(source, path)
                if found.value is not None:
                    return found
                why = found.place
        for variable in variables_of(name):
            if variable in self.environ:
                return Found("environment", variable, self.environ[variable])
        return Found("none", why)

    def get(self, name: str) -> str | None:
        """Return a secret's value, None if it is not there."""
        return self.find(name).value

    def has(self, name: str) -> bool:
        """Return whether a secret is there and may be used."""
        return self.find(name).value is not None

    def names(self) -> list[str]:
        """Return the names of all secrets that are there, wherever they are."""
        found = {path.name.removeprefix("syncd_") for path in _children(self._credentials())}
        found |= {path.name for path in _children(self.folder)}
        prefix = "SYNCD_SECRET_"
        taken = {variable for name in found for variable in variables_of(name)}
        for variable in self.environ:
            if variable.startswith(prefix) and variable not in taken:
                found.add(variable.removeprefix(prefix).lower().replace("_", "-"))
        return sorted(name for name in found if NAME.fullmatch(name))

    def set(self, name: str, value: str) -> Path:
        """Store a secret in ``secrets_dir``, mode 0600, replacing an old one at once. Raises ConfigError if it cannot."""
        if self.folder is None:
            raise ConfigError("no secrets_dir in syncd.yaml: add  secrets_dir: DIR  to say where secrets are kept")
        if not NAME.fullmatch(name):
            raise ConfigError(f'"{name}" is no name for a secret: letters, digits, "-", "_" and "." only')
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path, fresh = self.folder / name, self.folder / f".{name}.new"
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        return path

    def _credentials(self) -> Path | None:
        given = self.environ.get("CREDENTIALS_DIRECTORY")
        return Path(given) if given else None

    def _files(self, name: str) -> Iterator[tuple[str, Path]]:
        credentials = self._credentials()
        if credentials:
            yield "credential", credentials / f"syncd_{name}"
            yield "credential", credentials / name
        if self.folder:
            yield "folder", self.folder / name


def variables_of(name: str) -> list[str]:
    """Return the names that a secret may have in the environment: ``shop-key`` is ``SYNCD_SECRET_SHOP_KEY``."""
    usual = re.sub(r"[^A-Z0-9]", "_", name.upper())
    return list(dict.fromkeys([f"SYNCD_SECRET_{usual}", f"SYNCD_SECRET_{name}"]))


def reference(text: str) -> str | None:
    """Return NAME of ``secret:NAME``, None if a text is no reference."""
    return text.removeprefix(REFERENCE) if text.startswith(REFERENCE) else None


def _children(folder: Path | None) -> list[Path]:
    if folder is None or not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]


def _read(source: str, path: Path) -> Found:
    """Read one file of a secret; its last line break is not part of it."""
    try:
        mode = path.stat().st_mode & 0o777
        if source == "folder" and mode & 0o077:
            return Found("none", f"{path} has mode {mode:04o}: not used until it is 0600")
        return Found(source, str(path), path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        return Found("none", f"{path} cannot be read: {reason}")
