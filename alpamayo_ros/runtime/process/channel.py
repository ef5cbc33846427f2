"""What passes between planner and model process: which arrays, and which fields of a datagram."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.process.wire import Layout, SharedArrays
from alpamayo_ros.runtime.text import bounded_text, bounded_tokens
from alpamayo_ros.types import Conditioning, EgoHistory, FrameStack, PlannerInput, Proposal

EGO_FIELDS = ('poses', 'speed_mps', 'acceleration_mps2', 'yaw_rate_rps', 'steering_rad', 'valid')
TEXT_FIELDS = ('navigation', 'prompt', 'previous_text')


class Arrays(Protocol):
    """Where an input's arrays lie by their names: in shared memory, or in a file's."""

    def write(self, name: str, values: NDArray[Any]) -> None:
        """Keep ``values`` as ``name``."""
        ...

    def read(self, name: str) -> NDArray[Any]:
        """What was kept as ``name``."""
        ...


def layout(profile: ModelProfile) -> Layout:
    """Name, shape and dtype of every shared array of a profile."""
    t, v, (height, width) = profile.frames.count, len(profile.views), profile.view_size
    h, k, p = profile.ego_history.count, profile.candidates, profile.trajectory.points
    return {
        'images': ((t, v, height, width, 3), 'u1'),
        'age_s': ((t, v), 'f8'),
        'frames_valid': ((t, v), '?'),
        'poses': ((h, 3), 'f8'),
        'speed_mps': ((h,), 'f8'),
        'acceleration_mps2': ((h,), 'f8'),
        'yaw_rate_rps': ((h,), 'f8'),
        'steering_rad': ((h,), 'f8'),
        'valid': ((h,), '?'),
        'candidates': ((k, p, 3), 'f4'),
    }


def put_input(arrays: Arrays, inputs: PlannerInput) -> dict[str, Any]:
    """Write the arrays of ``inputs``; the rest is returned for the datagram."""
    arrays.write('images', inputs.frames.images)
    arrays.write('age_s', inputs.frames.age_s)
    arrays.write('frames_valid', inputs.frames.valid)
    for name in EGO_FIELDS:
        arrays.write(name, getattr(inputs.given.ego, name))
    return {
        't0_ns': inputs.t0_ns,
        'frames_t0_ns': inputs.frames.t0_ns,
        'ego_t0_ns': inputs.given.ego.t0_ns,
        'extrapolated_ns': inputs.given.ego.extrapolated_ns,
        **{name: getattr(inputs.given, name) for name in TEXT_FIELDS},
        'previous_t0_ns': inputs.given.previous_t0_ns,
        'seed': inputs.seed,
    }


def get_input(arrays: Arrays, message: dict[str, Any]) -> PlannerInput:
    """The other side of ``put_input``."""
    frames = FrameStack(
        message['frames_t0_ns'],
        arrays.read('images'),
        arrays.read('age_s'),
        arrays.read('frames_valid'),
    )
    motion = {name: arrays.read(name) for name in EGO_FIELDS}
    ego = EgoHistory(message['ego_t0_ns'], **motion, extrapolated_ns=message['extrapolated_ns'])
    texts = {name: message[name] for name in TEXT_FIELDS}
    given = Conditioning(ego, **texts, previous_t0_ns=message['previous_t0_ns'])
    return PlannerInput(message['t0_ns'], frames, given, message['seed'])


def put_proposal(arrays: SharedArrays, proposal: Proposal) -> dict[str, Any]:
    """Write the candidates; the rest, with bounded words, is returned for the datagram."""
    arrays.write('candidates', proposal.candidates)
    text, cut = bounded_text(proposal.text)
    ids, cut_ids = bounded_tokens(proposal.token_ids)
    return {
        't0_ns': proposal.t0_ns,
        'text': text,
        'token_ids': list(ids),
        'truncated': proposal.truncated or cut or cut_ids,
        'text_t0_ns': proposal.text_t0_ns,
        'later': bounded_text(proposal.later)[0],
    }


def get_proposal(
    arrays: SharedArrays, message: dict[str, Any], stage_ms: dict[str, float]
) -> Proposal:
    """The other side of ``put_proposal``, which is not trusted."""
    text, cut = bounded_text(message['text'])
    ids, cut_ids = bounded_tokens(tuple(map(int, message['token_ids'])))
    return Proposal(
        t0_ns=int(message['t0_ns']),
        candidates=arrays.read('candidates'),
        text=text,
        token_ids=ids,
        truncated=bool(message['truncated']) or cut or cut_ids,
        stage_ms=stage_ms,
        text_t0_ns=int(message['text_t0_ns']),
        later=bounded_text(message['later'])[0],
    )


def put_fault(fault: Fault) -> dict[str, Any]:
    """A fault as fields of a datagram."""
    return {'fault': fault.code.name, 'message': fault.message, 'values': dict(fault.values)}


def get_fault(message: dict[str, Any]) -> Fault:
    """The other side of ``put_fault``."""
    return Fault(Code[message['fault']], message['message'], message['values'])
