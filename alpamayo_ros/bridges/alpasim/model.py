"""The model in a process of its own, asked while simulated time stands still."""

from __future__ import annotations

import threading
from collections.abc import Callable

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.runtime.process.child import WorkerSpec
from alpamayo_ros.runtime.process.worker import Worker
from alpamayo_ros.types import PlannerInput, Proposal

GUARD_S = 30.0  # of wall time for a cycle: no deadline of a drive, a guard against a hang


class ModelProcess:
    """One model for all rollouts, one cycle at a time; it may hang or die, the server goes on."""

    def __init__(self, spec: WorkerSpec, tell: Callable[[str], None]) -> None:
        """Start to load; ``wait`` says when it is done.

        ``tell`` hears once of a model that gives no plan, and once that it does again.
        """
        self._worker = Worker(spec)
        self._startup_s = spec.startup_s
        self._lock = threading.Lock()
        self._tell, self._silent = tell, False
        self._worker.start()

    def wait(self) -> Fault | None:
        """Wait until the model is warm; why it never will be."""
        if self._worker.wait_warm(self._startup_s + GUARD_S):
            return None
        failed = self._worker.failed or next(iter(self._worker.faults()), None)
        return failed or Fault(Code.MODEL_ABSENT, f'not loaded in {self._startup_s:.0f} s')

    def ask(self, inputs: PlannerInput) -> tuple[Proposal | None, list[Fault]]:
        """The proposal, or None with the faults that say why."""
        with self._lock:
            proposal = None
            if self._worker.submit(inputs):
                proposal = self._worker.wait(2 * GUARD_S)
            faults = self._worker.faults()
            if proposal is None and not faults:
                faults = [Fault(Code.MODEL_ABSENT)]
            if self._silent != (proposal is None):
                self._silent = proposal is None
                self._tell(
                    f'no plan from the model: {faults[0]}; the last one, then stops, are what '
                    'AlpaSim gets until there is one'
                    if self._silent
                    else 'the model plans again'
                )
        return proposal, faults

    def close(self) -> None:
        """End the process."""
        self._worker.close()
