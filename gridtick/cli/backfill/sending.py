"""The loop that sends a job: whatever ends it, the journal never says more than is on the topic."""

from collections.abc import Callable, Iterable
from typing import Final, Protocol

from db.kafka.producer import Headers
from gridtick.cli.backfill.journal import Journal, Spans, confirmed
from gridtick.cli.backfill.stop import Stop
from gridtick.cli.raw import Message

AT_MOST: Final = 20_000  # messages between two entries of the journal: what a crash leaves to be found again
EVERY_S: Final = 1.0


class Outgoing(Protocol):
    """As `ConfirmedProducer` is."""

    def send(self, topic: str, value: bytes | None, key: bytes | None = None, headers: Headers = ()) -> None: ...
    def flush(self) -> Spans: ...


class Sending:
    """One run over the messages of a job. `save` keeps a journal; `told` hears of each that was kept."""

    def __init__(
        self,
        outgoing: Outgoing,
        save: Callable[[Journal], None],
        told: Callable[[Journal], None],
        clock: Callable[[], float],
    ) -> None:
        self._outgoing, self._save, self._told, self._clock = outgoing, save, told, clock

    def run(self, journal: Journal, messages: Iterable[tuple[int, Message]], stop: Stop) -> Journal:
        """Sends what is not there yet, until the end or until asked to stop; the journal as it is then.

        What else ends it leaves a journal that says `sending`: the topic may hold more than it tells.
        """
        there, upto, since = set(journal.ahead), journal.confirmed, self._clock()
        for number, message in messages:
            if number not in there:
                self._outgoing.send(journal.topic, message.value, message.key, [journal.header(number)])
            upto = number
            if stop.asked:
                break
            if upto - journal.confirmed >= AT_MOST or self._clock() - since >= EVERY_S:
                journal, since = self._kept(journal, upto), self._clock()
        return self._kept(journal, upto, ended=True)

    def _kept(self, journal: Journal, upto: int, *, ended: bool = False) -> Journal:
        where = self._outgoing.flush()
        state = "sending" if not ended else "sent" if upto == journal.total else "stopped"
        journal = confirmed(journal, upto, where, state)
        self._save(journal)
        self._told(journal)
        return journal
