"""What syncd says of itself while it runs: one event, one line. The names are a closed list; scripts match on them.

``say`` is the only way to say something. Where it goes (terminal, journal, JSON) is decided by ``logs``.
"""

from enum import StrEnum
from typing import Any

from loguru import logger


class Event(StrEnum):
    """Every kind of event there is."""

    READY = "ready"
    STOP = "stop"
    ONCE_DONE = "once.done"
    RELOAD_OK = "reload.ok"
    RELOAD_FAILED = "reload.failed"
    PLATFORM_DOWN = "platform.down"
    PLATFORM_UP = "platform.up"
    PLATFORM_THROTTLED = "platform.throttled"
    WRITE_OK = "write.ok"
    WRITE_LATER = "write.later"
    WRITE_STALE = "write.stale"
    WRITE_REFUSED = "write.refused"
    WRITE_DOUBT = "write.doubt"
    WRITE_RESOLVED = "write.resolved"
    WRITE_PROPOSED = "write.proposed"
    RECORD_NEW = "record.new"
    CONFLICT_OPEN = "conflict.open"
    CONFLICT_CLOSED = "conflict.closed"
    STRAY_EDIT = "stray_edit"
    RECENCY_SUSPENDED = "recency.suspended"
    READING_BROKEN = "reading.broken"
    LETTER_OPEN = "letter.open"
    HOOK_REFUSED = "hook.refused"
    SWEEP_DONE = "sweep.done"
    SWEEP_FAILED = "sweep.failed"
    BREAKER_TRIP = "breaker.trip"
    BREAKER_RESET = "breaker.reset"
    REPORT_DONE = "report.done"
    REPORT_FAILED = "report.failed"
    BACKUP_DONE = "backup.done"
    BACKUP_FAILED = "backup.failed"
    HISTORY_THINNED = "history.thinned"
    NOTICE_SENT = "notice.sent"
    NOTICE_FAILED = "notice.failed"
    TASK_FAILED = "task.failed"


LEVELS = {
    Event.PLATFORM_DOWN: "WARNING",
    Event.PLATFORM_THROTTLED: "WARNING",
    Event.WRITE_DOUBT: "WARNING",
    Event.WRITE_REFUSED: "ERROR",
    Event.WRITE_LATER: "DEBUG",
    Event.CONFLICT_OPEN: "WARNING",
    Event.RECENCY_SUSPENDED: "WARNING",
    Event.READING_BROKEN: "WARNING",
    Event.LETTER_OPEN: "DEBUG",
    Event.HOOK_REFUSED: "WARNING",
    Event.SWEEP_DONE: "DEBUG",
    Event.SWEEP_FAILED: "WARNING",
    Event.BREAKER_TRIP: "ERROR",
    Event.RELOAD_FAILED: "ERROR",
    Event.REPORT_FAILED: "ERROR",
    Event.BACKUP_FAILED: "ERROR",
    Event.NOTICE_SENT: "DEBUG",
    Event.NOTICE_FAILED: "ERROR",
    Event.TASK_FAILED: "ERROR",
}


def say(event: Event, text: str, **fields: Any) -> None:
    """Say that something happened. ``fields`` are the same facts by name: platform, entity, record, field, ..."""
    level = LEVELS.get(event, "INFO")
    logger.bind(event=event.value, **{k: v for k, v in fields.items() if v is not None}).log(level, "{}", text)


def say_failure(event: Event, text: str, error: BaseException, **fields: Any) -> None:
    """Say that something failed that should not have, with the traceback."""
    logger.bind(event=event.value, **fields).opt(exception=error).log(LEVELS.get(event, "ERROR"), "{}", text)
