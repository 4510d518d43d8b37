"""What ``syncd run`` says when it is ready: only what is there."""

from collections.abc import Iterable

from syncd import __version__
from syncd.core.model import SECOND
from syncd.daemon.runtime import Part, Runtime
from syncd.daemon.standing import state_of
from syncd.ledger import state, tallies
from syncd.ledger.state import State
from syncd.reports.figures import span

UNITS = ((2**30, "GB"), (2**20, "MB"), (2**10, "KB"))


async def banner(runtime: Runtime) -> list[str]:
    """Return the lines: config and ledger, a line per platform, and where it listens."""
    now = await runtime.store.read(state.now, runtime.now())
    config = runtime.config
    size = sized(config.ledger_path.stat().st_size)
    head = f"syncd {__version__}   {config.environment}   config {config.folder} ({len(config.texts)} files, {config.sha})"
    rows = [await platform_row(runtime, part, now) for part in runtime.parts.values()]
    took = (runtime.now() - runtime.began) / SECOND
    places = [f"{name} {where}" for name, where in runtime.listeners.items()]
    return [
        f"{head}   ledger {size}, {sum(now.records.values()):,} records",
        *aligned(rows),
        "   ".join([f"ready in {took:.1f} s", *places, "Ctrl-C stops after writes in flight"]),
    ]


async def platform_row(runtime: Runtime, part: Part, now: State) -> tuple[str, ...]:
    """Return what there is to say about one platform."""
    counts = []
    for collection in runtime.collections(part.name):
        entity = runtime.entity_of(part.name, collection)
        if entity is not None:
            count = await runtime.store.read(tallies.linked, part.name, entity.name)
            counts.append(f"{count:,} {collection}")
    reads = [feed.read_at for feed in now.feeds if feed.platform == part.name and feed.read_at is not None]
    fresh = f"fresh {span((runtime.now() - max(reads)) / SECOND)}" if reads else "not read yet"
    why = f"({part.trouble.why})" if part.trouble.why else ""
    platform = part.platform
    feeds = ", ".join(feeds_of(part)) or "sweep only"
    how = state_of(runtime, part)
    return (part.name, mode_of(runtime, part), platform.connector, feeds, how, ", ".join(counts), fresh, why)


def mode_of(runtime: Runtime, part: Part) -> str:
    """Return the mode that a platform is in under the limits of this run."""
    modes = {e.members[part.name].mode for e in runtime.rules.entities.values() if part.name in e.members}
    return "/".join(sorted(modes)) or part.platform.mode


def feeds_of(part: Part) -> list[str]:
    """Return how a platform is watched, in words."""
    watch = part.platform.watch
    poll = getattr(watch, "poll", None)
    words = ["webhook"] if part.platform.webhook else []
    words += ["stream"] if getattr(watch, "stream", None) is not None else []
    words += ["change feed"] if getattr(watch, "change_feed", None) is not None else []
    words += ["files"] if getattr(watch, "files", None) is not None else []
    return words + ([f"poll {span(poll.every / SECOND).replace(' ', '')}"] if poll is not None else [])


def aligned(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return rows as lines with aligned columns."""
    found = list(rows)
    widths = [max(len(row[place]) for row in found) for place in range(len(found[0]))] if found else []
    return ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in found]


def sized(count: int) -> str:
    """Return a size in bytes as people read it."""
    for unit, name in UNITS:
        if count >= unit:
            return f"{count / unit:.0f} {name}"
    return f"{count} B"
