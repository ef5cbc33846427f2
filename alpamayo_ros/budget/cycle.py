"""Time of a cycle on a device: the roofline of each stage, and what to expect in practice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from alpamayo_ros.budget import action, language, vision
from alpamayo_ros.budget.devices import Device
from alpamayo_ros.budget.work import Stage, Work
from alpamayo_ros.model.layout import token_layout
from alpamayo_ros.profile import ModelProfile

PERIOD_MS = 100.0  # of a cycle at 10 Hz
WORDS = 72  # tokens of a chain of causation with which modes are compared
BYTES = {'fp32': 4, 'bf16': 2, 'fp8': 1, 'int8': 1}  # a weight, in the order of trying
ACTIVATION_BYTES = {'fp32': 4}  # others keep activations, keys and values in two bytes


@dataclass(frozen=True, slots=True)
class Decoding:
    """How words are written: ``width`` tokens a pass, of which ``accepted`` become words.

    Plain greedy decoding is one of one.  A draft is accepted up to its first wrong word.
    """

    name: str
    width: int
    accepted: int

    def passes(self, count: int) -> int:
        """Passes for ``count`` words."""
        return -(-count // self.accepted)


DECODINGS = (
    Decoding('plain', 1, 1),
    Decoding('drafts 16', 16, 9),
    Decoding('drafts 32', 32, 24),
)


@dataclass(frozen=True, slots=True)
class StageTime:
    """A stage in milliseconds: ``roofline_ms`` no implementation beats, ``expected_ms``."""

    name: str
    flops: float
    bytes_moved: float
    roofline_ms: float
    expected_ms: float


@dataclass(frozen=True, slots=True)
class Budget:
    """One cycle of a profile on a device in a precision; ``passes``: one pass a decoding."""

    profile: str
    device: Device
    precision: str
    stages: tuple[StageTime, ...]
    passes: dict[str, StageTime]
    memory_gb: float

    @property
    def fits(self) -> bool:
        """Whether weights and caches fit the device's memory."""
        return self.memory_gb <= self.device.memory_gb

    @property
    def fixed_ms(self) -> float:
        """Expected time of everything but the words."""
        return sum(stage.expected_ms for stage in self.stages)

    def cycle_ms(self, decoding: Decoding, count: int = WORDS) -> float:
        """Expected time of a whole cycle with ``count`` words."""
        return self.fixed_ms + decoding.passes(count) * self.passes[decoding.name].expected_ms

    def longest(self, decoding: Decoding, period_ms: float = PERIOD_MS) -> int:
        """Words of the longest chain of causation that fits ``period_ms``; -1: not even none."""
        room = period_ms - self.fixed_ms
        if room < 0 or not self.fits:
            return -1
        return int(room / self.passes[decoding.name].expected_ms) * decoding.accepted


def precisions(device: Device) -> list[str]:
    """What a device computes in, the widest first."""
    return [name for name in BYTES if device.rate(name) is not None]


def stages(profile: ModelProfile) -> tuple[Stage, ...]:
    """The stages of a cycle besides the words, in order."""
    return (
        Stage('encode', vision.encode(profile) + vision.fuse(profile)),
        Stage('prefill', language.prefill(profile)),
        Stage('denoise', action.denoise(profile)),
    )


def pass_of(profile: ModelProfile, decoding: Decoding) -> Stage:
    """One pass of the words."""
    return Stage(decoding.name, language.words(profile, decoding.width))


def budget(profile: ModelProfile, device: Device, precision: str) -> Budget:
    """All of it; ValueError where the device does not compute in ``precision``."""
    if device.rate(precision) is None:
        known = ', '.join(precisions(device))
        raise ValueError(f'{device.title} has no {precision}; it has {known}')
    passes = {d.name: timed(pass_of(profile, d), device, precision) for d in DECODINGS}
    times = tuple(timed(stage, device, precision) for stage in stages(profile))
    return Budget(profile.name, device, precision, times, passes, memory_gb(profile, precision))


def timed(stage: Stage, device: Device, precision: str) -> StageTime:
    """Times of a stage; attention is computed in the width of the activations."""
    moved = sum(_bytes(part, precision) for part in stage.parts)
    roof = sum(_seconds(part, device, precision, 1.0, 1.0) for part in stage.parts)
    shares = device.compute_share, device.bandwidth_share
    expected = sum(_seconds(part, device, precision, *shares) for part in stage.parts)
    expected += 1e-6 * device.kernel_us * sum(part.kernels for part in stage.parts)
    return StageTime(stage.name, stage.flops, moved, 1e3 * roof, 1e3 * expected)


def memory_gb(profile: ModelProfile, precision: str) -> float:
    """Weights of all parts, each once, and the keys and values of a full cache."""
    b = profile.backbone
    narrow = b.width // b.heads * b.kv_heads
    cache = 2 * b.layers * narrow * token_layout(profile).max_sequence
    return (_weights(profile) * BYTES[precision] + cache * _activation(precision)) / 1e9


def _weights(profile: ModelProfile) -> float:
    """Numbers of all weights; a denoiser's are read every step and kept once."""
    b, vocabulary = profile.backbone, profile.text.vocab_size
    one = profile.model_copy(
        update={'diffusion': profile.diffusion.model_copy(update={'sample_steps': 1})}
    )
    parts: Iterable[Work] = (
        *vision.encode(profile), *vision.fuse(profile), *language.words(profile, 1),
        *action.denoise(one),
    )  # fmt: skip
    embedding = 0 if b.tie_embeddings else vocabulary * b.width
    return sum(part.weights for part in parts) + embedding


def _activation(precision: str) -> int:
    return ACTIVATION_BYTES.get(precision, 2)


def _bytes(part: Work, precision: str) -> float:
    return part.weights * BYTES[precision] + part.activations * _activation(precision)


def _seconds(
    part: Work, device: Device, precision: str, compute_share: float, bandwidth_share: float
) -> float:
    """The longer of computing and moving, of one operation."""
    wide = 'fp32' if precision == 'fp32' else 'bf16'
    product, mixed = device.rate(precision), device.rate(wide)
    assert product is not None and mixed is not None
    compute_s = (part.product_flops / product + part.attention_flops / mixed) / compute_share
    moving_s = _bytes(part, precision) / (device.bandwidth_gbps * 1e9 * bandwidth_share)
    return max(compute_s, moving_s)
