"""The one place that reads the wall clock; everything else takes time as an argument."""

from datetime import UTC, datetime, timedelta


def now() -> datetime:
    """The present instant, in UTC with microseconds."""
    return datetime.now(UTC)  # noqa: TID251 - this is the clock that the rule points to


def now_us() -> int:
    """Microseconds since 1970 in UTC."""
    return to_us(now())


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_us(us: int) -> datetime:
    """The instant of so many microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=us)


def to_us(instant: datetime) -> int:
    """An aware instant as exact microseconds since 1970."""
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
