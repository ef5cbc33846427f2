"""A streaming run from start to published weights, within its seconds.

``root`` holds ``settings.json``, the vocabulary, ``model.safetensors`` (the newest published
weights), but for reinforcement ``dense_heads.safetensors``, a checkpoint, ``curve.jsonl`` (a line
every ``log_s``) and, a folder a rank, what the processes share.  A run that was stopped, by a
signal or a file ``finish``, goes on with the same command.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from safetensors.torch import load_file

from alpamayo_ros.model.tokenizer import Tokenizer
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import ModelProfile, load_profile
from alpamayo_ros.training.checkpoint import load_weights, save_weights
from alpamayo_ros.training.features import kept
from alpamayo_ros.training.json_file import read_json, write_json
from alpamayo_ros.training.stream.children import Children
from alpamayo_ros.training.stream.clock import Clock
from alpamayo_ros.training.stream.ring import Feed, Ring, check_room
from alpamayo_ros.training.stream.settings import Settings
from alpamayo_ros.training.stream.slots import Slots
from alpamayo_ros.training.stream.stages import trainer_of
from alpamayo_ros.training.stream.start import Start
from alpamayo_ros.training.stream.steering import Steering, figures
from alpamayo_ros.training.stream.together import Together
from alpamayo_ros.training.vocabulary import carry_words, further_vocabulary, write_vocabulary

Writer = Callable[[int, dict[str, Any]], None]
CHECK_S = 1.0


def check_profile(profile: ModelProfile) -> str:
    """Why the stream cannot train a profile; '' where it can."""
    if profile.denoiser.kind != 'dit':
        return f'{profile.name}: denoiser.kind {profile.denoiser.kind}; the stream trains dit'
    if profile.vision.timesteps == 'all' or profile.inputs.map_lines or profile.inputs.ego_history:
        return f"{profile.name} reads inputs that the stream does not collect: use nano's kind"
    return ''


class StreamRun:
    """One run, or one rank of it; ``begin``: weights to start from."""

    def __init__(
        self, root: Path, settings: Settings, begin: Path | None, began: float, extra: Writer
    ) -> None:
        """``began``: ``time.monotonic`` of the start; ``extra`` is given every line as well."""
        torch.set_num_threads(settings.threads)
        self.together, self.root, self.settings = Together(), root, settings
        torch.manual_seed(self.together.rank)
        self.folder = root / f'rank_{self.together.rank}'
        self.profile = load_profile(settings.profile)
        model = VLA(self.profile)
        keeps = kept(settings.views, model)
        check_room(settings.ring, self.profile, keeps, self.together.device)
        known = (root / 'tokenizer.json').is_file()
        words = root if begin is None or known else begin.parent
        self.grammar = further_vocabulary(self.profile, words)
        if begin is not None:
            self._begin(begin, model)
        self._prepare()
        self.trainer = trainer_of(
            Start(model, self.grammar, settings, self.together, root, begin is None)
        )
        seen = self.trainer.restore(None if begin is None else begin.parent)
        self._earlier = int(seen.get('samples', 0))
        peak = settings.peak if self.trainer.from_scratch else settings.peak_further
        self.clock = Clock(settings, seen.get('used_s', 0.0), began, peak)
        self.ring = Ring(settings.ring, self.profile, self.grammar, self.together.device, keeps)
        self._first = self.trainer.step
        self.steering, self._extra, self._asked = Steering(self.folder, settings), extra, False

    def _prepare(self) -> None:
        """The vocabulary, and what the children read."""
        self.together.agree(0.0)  # until every rank has read it
        (self.folder / 'chunks').mkdir(parents=True, exist_ok=True)
        if self.together.leads:
            (self.root / 'finish').unlink(missing_ok=True)
            write_vocabulary(self.grammar, self.root)
        write_vocabulary(self.grammar, self.folder)
        write_json(self.folder / 'settings.json', self.settings.model_dump())
        call = int(read_json(self.folder / 'call.json').get('call', -1)) + 1
        write_json(self.folder / 'call.json', {'call': call})
        for name in ('asked', 'answered'):
            (self.folder / f'slot_{name}.bin').unlink(missing_ok=True)
        Slots(self.folder, self.settings.workers, self.profile)

    def _begin(self, weights: Path, model: VLA) -> None:
        """Load what the run starts from; a new vocabulary begins with the old one's rows."""
        texts = weights.parent / 'tokenizer.json'
        if not texts.is_file() or texts.read_text() == self.grammar.tokenizer.to_json():
            load_weights(weights, model)
            return
        old = Tokenizer.from_json(texts.read_text())
        size = self.profile.text.vocab_size
        model.load_state_dict(carry_words(load_file(weights), old, self.grammar, size))
        self._say(f'a new vocabulary: {old.vocab_size} words before, '
                  f'{self.grammar.tokenizer.vocab_size} now')  # fmt: skip

    # -- the run ----------------------------------------------------------------------------------
    def run(self) -> dict[str, Any]:
        """Train until the time is used or somebody asks to stop; the last line of the curve."""
        self.steering.look()
        self.steering.steer([], False)
        workers, rank = self.settings.workers, self.together.rank
        children = Children(
            self.folder, self.root, self.settings, rank * workers, self.together.size * workers
        )
        feed, before = Feed(self.ring, self.folder / 'chunks'), _on_signals(self._ask)
        feed.start()
        try:
            self._collect_first(children, feed)
            self._train(children, feed)
        finally:
            children.ask_to_stop()
            feed.end()
            try:
                line = self._finish() if self.ring.samples else {}
            finally:
                children.end(max(self.clock.left_s - 1.0, 1.0))
                _restore_signals(before)
                self.together.close()
        return line

    def _ask(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-C, or SIGTERM: the step in hand is the last."""
        del number, frame
        self._asked = True

    @property
    def _ends(self) -> bool:
        return self._asked or self.clock.over or (self.root / 'finish').exists()

    def _collect_first(self, children: Children, feed: Feed) -> None:
        wanted = self.settings.first_rows
        while not self.together.all(self.ring.samples >= wanted or self._ends):
            time.sleep(0.2)
            children.check()
            feed.check()
        self._say(f'{self.ring.samples} samples after {self.clock.used_s:.0f} s')

    def _train(self, children: Children, feed: Feed) -> None:
        if not self.ring.samples:
            return
        self.trainer.begin(self.ring)
        self._publish()
        s, first = self.settings, time.monotonic()
        due = {'publish': first, 'save': first, 'log': first, 'check': first}
        steps = self.trainer.step
        while self.trainer.descend(self.ring, self.clock, self._ends):
            now = time.monotonic()
            if now - due['check'] > CHECK_S:
                due['check'] = now
                children.check()
                feed.check()
            if now - due['log'] > s.log_s:
                rate = (self.trainer.step - steps) * s.batch / (now - due['log'])
                steps, due['log'] = self.trainer.step, now
                self._line(rate, now - first > s.expert_s, children.falls)
            if now - due['publish'] > s.publish_s:
                self._publish()
                due['publish'] = time.monotonic()
            if now - due['save'] > s.save_s:
                self._save()
                due['save'] = time.monotonic()

    def _finish(self) -> dict[str, Any]:
        self._publish()
        self._save()
        line = self._line(0.0, True, 0)
        if self.together.leads and self.clock.over:
            note = {'do': 'stream', 'minutes': round(self.clock.used_s / 60, 2)}
            write_json(self.root / 'stream.done', note | {'threads': self.settings.threads})
        return line

    # -- what it leaves behind --------------------------------------------------------------------
    def _publish(self) -> None:
        began = time.monotonic()
        twin = self.trainer.publish(self.ring)
        if self.together.leads:
            save_weights(self.root / 'model.safetensors', twin)
        self.clock.took('publish', time.monotonic() - began)

    def _save(self) -> None:
        began = time.monotonic()
        self.trainer.save(self.clock.used_s, self._earlier + self.ring.samples)
        self.clock.took('save', time.monotonic() - began)

    def _line(self, rate: float, policy_drives: bool, falls: int) -> dict[str, Any]:
        """A point of the curve, and the steering that follows from it."""
        exams = self.steering.look()
        drawn = (self.trainer.step - self._first) * self.settings.batch
        wait = drawn < self.settings.draws * self.ring.samples
        self.steering.steer(exams, policy_drives, wait)
        line = {
            'used_s': round(self.clock.used_s, 1),
            'step': self.trainer.step,
            'samples_per_s': round(rate, 1),
            'samples': self._earlier + self.ring.samples,
            'drives': len(self.steering.drives),
            'unbuilt': self.steering.unbuilt,
            'falls': falls,
            'regression': self.trainer.regression,
            'rate': round(self.clock.rate(self.trainer.step), 7),
            **self.trainer.figures(),
            **figures(exams),
        }
        with (self.folder / 'curve.jsonl').open('a') as out:
            out.write(json.dumps(line) + '\n')
        self._extra(self.trainer.step, line)
        self._say(_in_words(line, self.settings.seconds))
        return line

    def _say(self, text: str) -> None:
        if self.together.leads:
            print(text, flush=True)


def _in_words(line: dict[str, Any], seconds: float) -> str:
    """The progress line."""
    drives = f'{line["drives"]} drives'
    if 'scene_score' in line:
        drives += f', scene_score {line["scene_score"]} of {line["exams"]}'
    ade = f', ADE 6 s {line["ade_6s"]:.2f} m' if 'ade_6s' in line else ''
    return (
        f'{line["used_s"]:.0f} of {seconds:.0f} s  step {line["step"]}  '
        f'{line["samples_per_s"]:.0f} samples/s of {line["samples"]}  {drives}{ade}'
    )


def _on_signals(handler: Callable[[int, FrameType | None], None]) -> dict[int, Any]:
    return {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}


def _restore_signals(before: dict[int, Any]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)
