"""The trainer descends, publishes averages, resumes; the clock keeps its seconds."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from stream_toy import Parts

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.stream.augmentation import augment, lose_pictures
from alpamayo_ros.training.stream.clock import Clock
from alpamayo_ros.training.stream.ring import Ring
from alpamayo_ros.training.stream.start import Start
from alpamayo_ros.training.stream.steering import Steering, figures
from alpamayo_ros.training.stream.together import Together
from alpamayo_ros.training.stream.trainer import Trainer

pytestmark = pytest.mark.processes


def clock(parts: Parts, used_s: float = 0.0) -> Clock:
    return Clock(parts.settings, used_s, time.monotonic(), 1e-3)


def trainer(parts: Parts, model: VLA, root: Path, from_scratch: bool = False) -> Trainer:
    return Trainer(Start(model, parts.grammar, parts.settings, Together(), root, from_scratch))


def test_training_lowers_the_loss_and_publishes_the_average(
    parts: Parts, model: VLA, ring: Ring, tmp_path: Path
) -> None:
    settings = parts.settings.model_copy(update={'own_words': 0.0})  # as many random numbers
    made = Trainer(Start(model, parts.grammar, settings, Together(), tmp_path, False))
    time_left = clock(parts)
    made.begin(ring)
    begins = {k: v.clone() for k, v in model.state_dict().items()}
    losses = []
    for _ in range(11):
        assert made.descend(ring, time_left, False)
        losses += [made.figures()] if made.step % 10 == 1 else []
    assert losses[-1]['single'] < losses[0]['single'] and losses[-1]['text'] < losses[0]['text']
    assert not torch.equal(model.views.query, begins['views.query'])
    made.publish(ring)
    said = json.loads((tmp_path / 'policy.json').read_text())
    assert said == {'name': '1', 'file': 'policy_1.safetensors', 'regression': False}
    written, name = load_file(tmp_path / said['file']), 'backbone.embed.weight'
    now = model.state_dict()[name]
    between = (written[name] - begins[name]).abs().mean() < (now - begins[name]).abs().mean()
    assert between and not torch.equal(written[name], begins[name])
    assert not made.descend(ring, time_left, True) and made.step == 11


def test_from_scratch_the_denoiser_begins_as_a_regression(
    parts: Parts, model: VLA, ring: Ring, tmp_path: Path
) -> None:
    made = trainer(parts, model, tmp_path, from_scratch=True)
    made.begin(ring)
    made.descend(ring, clock(parts), False)
    assert made.regression and not model.dit.inp.weight.any() and model.dit.std.ne(1).any()
    made.descend(ring, clock(parts, used_s=0.6 * parts.settings.seconds), False)
    assert not made.regression


def test_a_run_goes_on_where_it_stopped(
    parts: Parts, model: VLA, ring: Ring, tmp_path: Path
) -> None:
    made = trainer(parts, model, tmp_path)
    made.begin(ring)
    made.descend(ring, clock(parts), False)
    made.publish(ring)
    made.save(12.0, 18)
    again = trainer(parts, VLA(parts.profile), tmp_path, from_scratch=True)
    seen = again.restore()
    assert (seen['used_s'], seen['samples'], again.step) == (12.0, 18, 1)
    assert not again.from_scratch and not again.regression
    ours, theirs = model.state_dict(), again.model.state_dict()
    assert all(torch.equal(ours[k], theirs[k]) for k in ours)


def test_a_run_that_begins_with_anothers_weights_goes_on_with_its_heads(
    parts: Parts, model: VLA, ring: Ring, tmp_path: Path
) -> None:
    made = trainer(parts, model, tmp_path / 'first')
    made.begin(ring)
    made.descend(ring, clock(parts), False)
    made.publish(ring)
    further = trainer(parts, VLA(parts.profile), tmp_path / 'second')
    name = 'fused.0.weight'
    ours = made.heads.state_dict()[name]
    assert not torch.equal(further.heads.state_dict()[name], ours)
    assert further.restore(tmp_path / 'first') == {} and further.step == 0
    assert torch.equal(further.heads.state_dict()[name], ours)
    assert trainer(parts, model, tmp_path / 'third').restore(tmp_path / 'second') == {}


def test_time_for_the_end_is_kept_and_the_rate_falls_with_the_time(parts: Parts) -> None:
    s = parts.settings
    early, late = clock(parts), clock(parts, s.seconds - 10.0)
    assert not early.over and not late.over
    late.took('publish', 6.0)
    assert late.over and late.end_s >= 9.0
    assert early.rate(1000) == pytest.approx(1e-3) and late.rate(1000) < 5e-5
    assert clock(parts, s.seconds + 1).over


def test_pictures_are_lost_but_never_all_of_the_newest_front() -> None:
    torch.manual_seed(0)
    valid = lose_pictures(torch.ones(4000, 4), 7, 2)
    gone = 1 - valid.mean((0, 1))
    assert (gone[2:] > 0.04).all() and (0 < gone[:2]).all() and (gone[:2] < gone[2:].min()).all()
    assert valid[:, 0, 0].mean() > 0.98 and valid[:, 1, 0].mean() < 0.95
    pictures = torch.full((8, 2, 7, 4, 5, 3), 100, dtype=torch.uint8)
    assert augment(pictures).float().flatten(1).mean(1).std() > 3


def test_families_that_fail_are_driven_more(parts: Parts, tmp_path: Path) -> None:
    row = {'time': time.time(), 'exam': True, 'collisions_at_fault': 0, 'offroad_s': 0.0,
           'progress': 1.0, 'red_lights': 0}  # fmt: skip
    lines = [row | {'family': 'debris', 'scene_score': 0.0, 'collisions_at_fault': 1}] * 4
    lines += [row | {'family': 'fog', 'scene_score': 1.0}] * 4
    lines += [row | {'family': 'fog', 'scene_score': 0.0, 'exam': False}]
    lines += [{'time': 0.0, 'family': 'signal', 'seed': 1, 'unbuilt': 'no route'}]
    text = ''.join(json.dumps(line) + '\n' for line in lines)
    (tmp_path / 'drives_0.jsonl').write_text(text + '{"torn')
    steering = Steering(tmp_path, parts.settings)
    exams = steering.look()
    steering.steer(exams, True)
    told = json.loads((tmp_path / 'control.json').read_text())
    assert told['families']['debris'] > 3 * told['families']['fog']
    assert told['policy_share'] == parts.settings.policy_share
    said = figures(exams)
    assert said['exams'] == 8 and said['scene_score'] == 0.5 and said['fault_free'] == 0.5
    assert steering.unbuilt == 1 and len(steering.drives) == 9 and len(steering.look()) == 8


RANK = """
import sys, time, torch
from pathlib import Path
from alpamayo_ros.model.vla import VLA
import stream_toy
from alpamayo_ros.training.stream.clock import Clock
from alpamayo_ros.training.stream.ring import Ring
from alpamayo_ros.training.stream.start import Start
from alpamayo_ros.training.stream.together import Together
from alpamayo_ros.training.stream.trainer import Trainer
parts = stream_toy.parts()
torch.set_num_threads(1)
together = Together()
torch.manual_seed(together.rank)
model = VLA(parts.profile)
ring = Ring(256, parts.profile, parts.grammar, torch.device('cpu'))
ring.add(*stream_toy.shard(parts, 10 + 90 * together.rank))
clock = Clock(parts.settings, 0.0, time.monotonic() + together.rank, 1e-3)
trainer = Trainer(Start(model, parts.grammar, parts.settings, together, Path(sys.argv[1]), True))
trainer.begin(ring)
steps = 0
while trainer.descend(ring, clock, steps == 3 + together.rank):
    steps += 1
state = torch.cat([p.detach().flatten() for p in model.parameters()])
print(together.rank, steps, float(state.double().sum()), float(state.abs().double().sum()))
together.close()
"""


def test_two_ranks_have_equal_weights_and_end_together(tmp_path: Path) -> None:
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = str(s.getsockname()[1])
    env = {**os.environ, 'WORLD_SIZE': '2', 'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': port}
    root = Path(__file__).parents[4]
    env['PYTHONPATH'] = os.pathsep.join([str(root), str(root / 'test' / 'support')])
    command = [sys.executable, '-c', RANK, str(tmp_path)]
    ranks = [
        subprocess.Popen(command, env=env | {'RANK': str(r)}, stdout=subprocess.PIPE, cwd=root)
        for r in (0, 1)
    ]
    said = [r.communicate(timeout=170)[0].decode().split() for r in ranks]
    assert [r.returncode for r in ranks] == [0, 0]
    assert said[0][0] == '0' and said[0][1:] == said[1][1:] and said[0][1] == '3'
