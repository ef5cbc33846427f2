"""Whether the planner is active, asked through its lifecycle service."""

from __future__ import annotations

import time
from typing import Any

from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.node import Node

ANSWER_S = 1.0  # an answer can be lost while DDS is still matching; then the question is put again


class PlannerWatch:
    """One question at a time; ``active`` stays true once it was."""

    def __init__(self, node: Node) -> None:
        self._client: Any = node.create_client(GetState, 'planner/get_state')
        self._call: Any = None
        self._asked_s = 0.0
        self.active = False

    def ask(self) -> bool:
        """Take an answer that came, ask again while the planner is not active."""
        if self._call is not None and self._call.done():
            answer, self._call = self._call.result(), None
            self.active = answer.current_state.id == State.PRIMARY_STATE_ACTIVE
        elif self._call is not None and time.monotonic() - self._asked_s > ANSWER_S:
            self._client.remove_pending_request(self._call)
            self._call = None
        if self._call is None and not self.active and self._client.service_is_ready():
            self._asked_s = time.monotonic()
            self._call = self._client.call_async(GetState.Request())
        return self.active
