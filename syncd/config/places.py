"""Where things are: the config folder, the folders of state and of run-time files, and paths written in the config."""

from collections.abc import Mapping
from pathlib import Path

from syncd.errors import ConfigError

HOSTS = ("127.0.0.1", "::1", "localhost")  # listening here is open to this machine only


def find_folder(given: str | None, environ: Mapping[str, str], *, etc: str = "/etc/syncd") -> str:
    """Return the config folder as it was given: ``--config``, ``$SYNCD_CONFIG``, ``./config``, ``/etc/syncd``.

    Raises ConfigError naming the places looked in. A folder that was named but is not there is an error, not a reason to
    look further.
    """
    for named, by in ((given, "--config"), (environ.get("SYNCD_CONFIG"), "$SYNCD_CONFIG")):
        if named:
            if Path(named).is_dir():
                return named
            raise ConfigError(f"no config folder at {named} ({by})")
    for place in ("config", etc):
        if Path(place).is_dir():
            return place
    raise ConfigError(f"no config folder found: looked at --config, $SYNCD_CONFIG, ./config and {etc}")


def state_directory(environ: Mapping[str, str]) -> Path:
    """Return the folder for state: systemd's, else ``$XDG_STATE_HOME/syncd``, else ``~/.local/state/syncd``. Not made."""
    given = _first(environ.get("STATE_DIRECTORY"))
    if given:
        return given
    base = environ.get("XDG_STATE_HOME")
    return Path(base) / "syncd" if base else _home(environ) / ".local" / "state" / "syncd"


def runtime_directory(environ: Mapping[str, str]) -> Path:
    """Return the folder for run-time files: systemd's, else ``$XDG_RUNTIME_DIR/syncd``, else ``run`` in the state's."""
    given = _first(environ.get("RUNTIME_DIRECTORY"))
    if given:
        return given
    base = environ.get("XDG_RUNTIME_DIR")
    return Path(base) / "syncd" if base else state_directory(environ) / "run"


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what ``${VAR}`` can name: the environment and the two folders that are always there."""
    return {
        **environ,
        "STATE_DIRECTORY": str(state_directory(environ)),
        "RUNTIME_DIRECTORY": str(runtime_directory(environ)),
    }


def resolve_path(folder: str, written: str) -> Path:
    """Return a path of the config as an absolute one: a relative path starts at the config folder."""
    return (Path(folder) / written).absolute()


def _first(paths: str | None) -> Path | None:
    """Return the first of several folders: systemd separates them by colons."""
    first = (paths or "").split(":")[0]
    return Path(first) if first else None


def _home(environ: Mapping[str, str]) -> Path:
    home = environ.get("HOME")
    return Path(home) if home else Path.home()
