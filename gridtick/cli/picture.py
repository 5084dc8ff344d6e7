"""Curves as a picture in a file."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from gridtick.client import Snapshot
from pipeline.errors import DataProcessingError


def save(path: Path, snapshots: Sequence[Snapshot]) -> None:
    """Writes a PNG of the snapshots, each as a line of steps. `DataProcessingError` where it cannot."""
    try:
        from matplotlib.dates import date2num
        from matplotlib.figure import Figure
    except ImportError:
        fix = "Install it with `pip install gridtick[local]`, or leave --png out."
        raise DataProcessingError(f"matplotlib, which draws pictures, is not installed. {fix}", "cli") from None
    figure = Figure(figsize=(11, 5), layout="constrained")
    axes = figure.subplots()
    for each in snapshots:
        edges = [datetime.fromisoformat(point["start"]) for point in each["points"]]
        edges += [datetime.fromisoformat(point["end"]) for point in each["points"][-1:]]
        prices = [float(point["price"]) for point in each["points"]]
        axes.stairs(prices, date2num(edges).tolist(), baseline=None, label=_label(each))
    axes.xaxis_date()
    axes.set_ylabel(snapshots[0]["unit"] or "price")
    axes.set_title(snapshots[0]["curve"])
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    try:
        figure.savefig(path, format="png", dpi=120)
    except OSError as error:
        raise DataProcessingError(f"{path} cannot be written: {error.strerror}.", "cli") from None


def _label(snapshot: Snapshot) -> str:
    version = f", version {snapshot['version']}" if snapshot["version"] else ""
    return f"{snapshot['session']}{version}"
