"""Times that a status or a manifest gives, and what follows from them."""

from datetime import UTC, datetime, timedelta
from typing import Final

_END: Final = datetime.max.replace(tzinfo=UTC)


def later(moment: datetime, seconds: float) -> datetime:
    """A moment so many seconds on; the end of the calendar where that is past it, as anybody may write any time."""
    try:
        return moment + timedelta(seconds=seconds)
    except OverflowError:
        return _END
