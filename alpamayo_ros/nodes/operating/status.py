"""How the driver is: its Health, the newest words, and what to do about its faults."""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import asdict
from typing import Any

from alpamayo_ros.graph_spec import NAMESPACE, OUR_WORDS
from alpamayo_ros.msg import ChainOfCausation, EgoHistory, Health
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import ns
from alpamayo_ros.nodes.operating.outsider import NoAnswer, Outsider, nobody
from alpamayo_ros.nodes.operating.status_record import Status, line, page, status_of
from alpamayo_ros.units import NS

NICE = 5  # who watches gives way to who drives
LINE_S = 1.0  # between two lines of --watch where nothing changes
MOTION_S, WORDS_S = 2.0, 0.5  # waited for, after Health; a driver that stands says no words
OLD_NS = 2 * NS  # of words: four times the age at which they may still condition a plan


class Listening:
    """The newest Health and words."""

    def __init__(self, outsider: Outsider) -> None:
        self._outsider = outsider
        self._health: Health | None = None
        self._cycle: Health | None = None
        self._words, self._words_ns, self._speed_mps = '', 0, math.nan
        self._open, self._heard_s = False, 0.0
        health = qos.output(False)
        outsider.node.create_subscription(Health, 'health', self._on_health, health)

    def _listen(self, lockstep: bool) -> None:
        """To the rest; in lockstep the newest of a world that stands still is latched."""
        node, kept = self._outsider.node, qos.output(lockstep)
        for name in ('reasoning', OUR_WORDS):
            node.create_subscription(ChainOfCausation, name, self._on_words, kept)
        node.create_subscription(EgoHistory, 'ego_history', self._on_motion, kept)
        self._open = True

    def _on_health(self, message: Health) -> None:
        self._health, self._heard_s = message, time.monotonic()
        if message.stages or self._cycle is None:
            self._cycle = message

    def _on_words(self, message: ChainOfCausation) -> None:
        self._words = ' '.join((message.intent or message.text).split())
        self._words_ns = ns(message.header.stamp)

    def _on_motion(self, message: EgoHistory) -> None:
        self._speed_mps = float(message.speed_mps[0]) if message.valid[:1] == [True] else math.nan

    def first(self) -> Status:
        """The status, waited for; NoAnswer where there is none."""
        if not self._outsider.until(lambda: self._health is not None):
            names = [n for n in self._outsider.topics() if self._outsider.node.count_publishers(n)]
            where, patience_s = f'{NAMESPACE}/health', self._outsider.patience_s
            raise NoAnswer(f'nothing on {where} in {patience_s:g} s. {nobody(names)}')
        assert self._health is not None
        if not self._open:
            self._listen(self._health.lockstep)
        patience_s = self._outsider.patience_s
        self._outsider.until(lambda: math.isfinite(self._speed_mps), min(MOTION_S, patience_s))
        self._outsider.until(lambda: self._words, min(WORDS_S, patience_s))
        return self.now()

    def now(self) -> Status:
        """The newest, after ``first``; words that are old, as after a disarm, are none."""
        assert self._health is not None and self._cycle is not None
        old = ns(self._health.header.stamp) - self._words_ns > OLD_NS
        words = '' if old else self._words
        silent_s = time.monotonic() - self._heard_s
        return status_of(self._health, self._cycle, words, self._speed_mps, silent_s)


def status(outsider: Outsider, watch: bool, as_json: bool, every_s: float = LINE_S) -> int:
    """Print the status once, or every ``every_s`` and at each change; 1 in FALLBACK or FAULT."""
    listening = Listening(outsider)
    found = listening.first()
    if watch:
        os.nice(NICE)
    show: Any = line if watch else page
    text = (lambda s: json.dumps(asdict(s))) if as_json else show
    print(text(found), flush=True)
    told_s = time.monotonic()
    while watch:
        outsider.spin()
        last, found = found, listening.now()
        if found.state != last.state or time.monotonic() - told_s > every_s:
            print(text(found), flush=True)
            told_s = time.monotonic()
    return 1 if found.stopped else 0
