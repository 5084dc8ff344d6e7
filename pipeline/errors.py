"""The one error type of every stage."""

from collections.abc import Mapping


class DataProcessingError(Exception):
    """A failure that names its stage and its facts, so that a person can act on it.

    `message` is a sentence that says what is wrong and what to do next; `stage` is the part that met it
    (`settings`, `bridge`, `normalize`, `enrich`, `aggregate`, `project`, `api`, `local`, `cli`);
    `context` holds plain values, never a secret and never a whole payload.
    """

    def __init__(self, message: str, stage: str, context: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.stage = stage
        self.context: dict[str, object] = dict(context or {})

    def __str__(self) -> str:
        facts = ", ".join(f"{name}={value!r}" for name, value in self.context.items())
        return f"[{self.stage}] {self.message}" + (f" ({facts})" if facts else "")
