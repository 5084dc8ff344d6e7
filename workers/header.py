"""The small header that a task carries; the frames themselves travel as claim checks."""

from typing import Any, Final

import msgspec

RAW: Final = "raw"
TICKS: Final = "ticks"
ENRICHED: Final = "enriched"
PART: Final = 500  # messages: of a large batch the breaker judges some at a time


def latest_of(name: str) -> str:
    """The claim check with the latest prices that follow from the pass of that name."""
    return f"{name}:latest"


def states_of(name: str) -> str:
    """The claim check with the bars that the pass of that name has made."""
    return f"{name}:states"


class Runs(msgspec.Struct, frozen=True):
    """Consecutive whole-message refusals of a batch: at its start, at its end, and the longest anywhere.

    `parts`: how many refusals are in each `PART` messages of it; empty where there is none.
    """

    lead: int = 0
    trail: int = 0
    longest: int = 0
    parts: tuple[int, ...] = ()


class BatchHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One batch on its way: the offsets [first, next) of one partition, and what became of them so far.

    `batch_id` names its claim checks and is no replay key: the same offsets may come again in other cuts.
    `known_at_us` is the running maximum of append times at the batch's end.
    The counts are deterministic: the same messages give the same ones. `reference`: the version of the reference data
    that its ticks were joined with. `spans`: of each tenant the lowest and the highest instant of its stored ticks, in
    microseconds.
    """

    batch_id: str
    assignment: str
    topic: str
    topic_id: str
    partition: int
    first: int
    next: int
    messages: int
    known_at_us: int
    ticks: int = 0
    rejects: int = 0
    dead_letters: int = 0
    invalid: int = 0
    reference: int = 0
    runs: Runs = Runs()
    spans: tuple[tuple[str, int, int], ...] = ()

    def claim(self, stage: str) -> str:
        """The name of this batch's claim check between two stages."""
        return f"{self.batch_id}:{stage}"

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready task argument."""
        return msgspec.to_builtins(self)

    def facts(self) -> dict[str, object]:
        """Where it is from, for log lines."""
        return {
            "batch": self.batch_id,
            "topic": self.topic,
            "partition": self.partition,
            "first": self.first,
            "next": self.next,
        }


def from_json(data: object) -> BatchHeader:
    """The header that `to_json` wrote. Raises `msgspec.ValidationError` for anything else."""
    return msgspec.convert(data, BatchHeader)
