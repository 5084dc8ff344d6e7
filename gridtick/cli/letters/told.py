"""What `gridtick dlq replay` says of what came of it."""

from rich.console import Console

from db.letters.sending import Result
from gridtick.cli.letters import waiting
from gridtick.cli.letters.plain import plain
from service.settings import Settings


def tell(result: Result, left_out: int, *, dry_run: bool) -> None:
    """What was sent, what was left out, and what could not be sent."""
    topics = ", ".join(sorted({each.topic for each in result.sent}))
    if result.sent:
        what = "would be sent" if dry_run else "sent again"
        print(f"{_many(len(result.sent))} of {result.size} bytes {what} to {topics}", flush=True)
    if left_out:
        print(f"{_many(left_out)} left out: on the way already, or landed (--again sends them all the same)")
    if not (result.sent or result.failed or left_out):
        print("No dead letter is there.")
    for dead, reason in result.failed:
        print(f"{dead.id} cannot be sent: {plain(reason)}")


def refused_again(settings: Settings, result: Result) -> bool:
    """Waits until all that was sent has landed, and says what came of it: whether some is a dead letter again."""
    with Console(stderr=True).status("waiting until they can be queried"):
        found = waiting.outcome(settings, result.sent)
    print(f"{found.landed} landed and can be queried, {len(found.refused)} refused again")
    for dead in found.refused:
        print(f"{dead.id} {plain(dead.letter.message)}")
    return bool(found.refused)


def _many(number: int) -> str:
    return f"{number} dead letter{'' if number == 1 else 's'}"
