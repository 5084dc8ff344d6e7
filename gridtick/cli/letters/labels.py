"""The labels that `gridtick dlq replay` takes."""

from pipeline.errors import DataProcessingError
from pipeline.generic import MARKET, TENANT
from pipeline.replay import Labels


def refuse_wrong(labels: Labels) -> None:
    """Raises `DataProcessingError` for a label that no message can bear."""
    for what, text, form in (
        ("market", labels.market, MARKET), ("product", labels.product, MARKET), ("tenant", labels.tenant, TENANT),
    ):  # fmt: skip
        if text is not None and not form.fullmatch(text):
            raise DataProcessingError(f"--{what} {text!r} cannot be the name of a {what} ({form.pattern})", "cli")
