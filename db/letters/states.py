"""How far a dead letter has come."""

from enum import StrEnum


class State(StrEnum):
    """`replayed`: sent again, and not landed yet; a letter that is refused again waits again."""

    waiting = "waiting"
    replayed = "replayed"
    landed = "landed"
