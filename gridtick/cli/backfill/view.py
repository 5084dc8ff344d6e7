"""What is shown of a job while it is sent and while it lands."""

from gridtick.cli.backfill.estimate import Count
from gridtick.cli.backfill.journal import Journal
from gridtick.cli.backfill.landed import Landed, until_landed, width
from gridtick.cli.backfill.progress import Shown


class View:
    """Two counts of one job, as messages; `landed` is nothing where nobody waits for it."""

    def __init__(self, total: int, landed: Landed | None) -> None:
        self._landed = landed
        self._counts = Count("sent", total), Count("landed", total)
        self.shown = Shown(self._counts if landed else self._counts[:1])

    def told(self, journal: Journal) -> None:
        """The journal says more than before."""
        sent, landing = self._counts
        self.shown.reach(sent, journal.confirmed)
        if self._landed:
            self.shown.reach(landing, _share(journal, self._landed.covered(journal.spans)))

    def wait(self, journal: Journal) -> None:
        """Returns when all of a job that has been sent has landed; raises as `until_landed` does."""
        landed = self._landed
        if landed is None:
            return
        self.shown.reach(self._counts[0], journal.confirmed)
        until_landed(
            lambda: landed.covered(journal.spans),
            width(journal.spans),
            lambda covered: self.shown.reach(self._counts[1], _share(journal, covered)),
        )


def _share(journal: Journal, covered: int) -> int:
    """Offsets as messages of the job: between them lie those of others."""
    return covered * journal.confirmed // max(width(journal.spans), 1)
