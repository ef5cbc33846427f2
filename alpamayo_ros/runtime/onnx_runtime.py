"""The default runtime: ONNX Runtime on one CPU thread (DESIGN section 7).

Cached: features by a digest of the pixels, the text prefix's keys and values while the text
stays.  Both are always computed by the same call on the same numbers, so a cache changes the time
and never a bit.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence as Tokens
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from alpamayo_ros.faults import Fault
from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.prompt import prefix_ids
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import Condition, Features, Identity
from alpamayo_ros.runtime.decode import Decoded, Draft, decode
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.runtime.manifest import ModelFiles
from alpamayo_ros.runtime.onnx_session import DecodeSession, open_session
from alpamayo_ros.runtime.registry import GRAPHS
from alpamayo_ros.runtime.sequence import Sequence
from alpamayo_ros.runtime.text import bounded_text
from alpamayo_ros.runtime.text_model import load_grammar
from alpamayo_ros.types import EgoHistory, FrameStack, Reasoning

KEPT_TIMESTEPS = 32


def load(files: ModelFiles, profile: ModelProfile) -> OnnxRuntime | Fault:
    """Sessions from verified bytes; the fault names the file that does not fit."""
    grammar = load_grammar(files, profile)
    if isinstance(grammar, Fault):
        return grammar
    sessions = []
    for name in GRAPHS:
        data = files.get(name)
        session = data if isinstance(data, Fault) else open_session(name, data)
        if isinstance(session, Fault):
            return session
        sessions.append(session)
    identity = Identity('onnx', profile.name, files.sha256, files.manifest.version)
    return OnnxRuntime(profile, identity, grammar, sessions)


class OnnxRuntime:
    """Runtime protocol on four ONNX sessions: encoder, fusion, decode, denoise."""

    def __init__(
        self, profile: ModelProfile, identity: Identity, grammar: Grammar, sessions: list[Any]
    ) -> None:
        self.profile = profile
        self._identity = identity
        self.grammar = grammar
        self._encoder, self._fusion, decode_session, self._denoise = sessions
        self._decode = DecodeSession(decode_session)
        self._features: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()
        self._prefix: tuple[int, ...] = ()
        self._prefix_hidden = np.zeros((0, self._decode.width), np.float32)
        self.decoded: Decoded | None = None

    @property
    def identity(self) -> Identity:
        """Kind ``onnx`` and the hash of the manifest."""
        return self._identity

    # -- encode ---------------------------------------------------------------------------------
    def encode(self, frames: FrameStack) -> Features:
        """Features of every timestep; those seen before come from the cache."""
        pairs = zip(frames.images, frames.valid, strict=True)
        values = np.stack([self._timestep(images, valid) for images, valid in pairs])
        return Features(values, frames.age_s, frames.valid)

    def _timestep(
        self, images: NDArray[np.uint8], valid: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        images = np.ascontiguousarray(images)
        key = hashlib.blake2b(
            images.data, digest_size=16, key=np.packbits(valid).tobytes()
        ).digest()
        found = self._features.get(key)
        if found is None:
            feed = {'images': images, 'valid': valid.astype(np.float32)}
            found = self._encoder.run(None, feed)[0]
            self._features[key] = found
            if len(self._features) > KEPT_TIMESTEPS:
                self._features.popitem(last=False)
        self._features.move_to_end(key)
        return found

    # -- reason ---------------------------------------------------------------------------------
    def reason(
        self, features: Features, ego: EgoHistory, navigation: str, prompt: str, draft: str
    ) -> Reasoning:
        """Fuse time, read the text prefix (or keep it), decode the chain of causation."""
        speed = float(ego.speed_mps[0])
        feed = {
            'features': features.values,
            'age_s': features.age_s.astype(np.float32),
            'valid': features.valid.astype(np.float32),
            'speed': np.array([speed], np.float32),
        }
        scene, bias = self._fusion.run(None, feed)
        text = self.profile.text
        self._read_prefix(prefix_ids(self.grammar.tokenizer, navigation, prompt, text.max_prefix))
        head = _Pass(self._decode, self._layout(len(scene)), scene, bias)
        self.decoded = decode(self.grammar, head, Draft(self.grammar, draft), text.max_coc)
        hidden = np.concatenate([self._prefix_hidden, *head.hidden(len(self.decoded.ids))])
        if not np.isfinite(hidden).all():
            self.reset()
        words, cut = bounded_text(self.grammar.text(self.decoded.ids))
        truncated = cut or self.decoded.truncated
        return Reasoning(words, self.decoded.ids, Condition(hidden, speed), truncated)

    def _layout(self, scene: int) -> Sequence:
        return Sequence(len(self._prefix), scene, self._decode.slots, self.profile.text.max_prefix)

    def _read_prefix(self, ids: tuple[int, ...]) -> None:
        """Fill the cache with the text prefix, in a pass of its own; kept while the text stays."""
        if ids == self._prefix:
            return
        self._prefix = ids
        layout, n = self._layout(0), len(ids)
        _, self._prefix_hidden = self._decode.run(
            np.array(ids), np.ones(n, bool), np.zeros((n, self._decode.width), np.float32),
            layout.positions(0, n), layout.mask(0, n), 0,
        )  # fmt: skip

    # -- denoise --------------------------------------------------------------------------------
    def denoise(
        self, condition: Condition, noise: Float[np.ndarray, 'K P 3']
    ) -> Float[np.ndarray, 'K P 3']:
        """Ten unrolled DDIM steps on the real tokens only (no padding)."""
        feed = {
            'hidden': condition.hidden[None],
            'mask': np.ones((1, len(condition.hidden)), np.float32),
            'speed': np.array([condition.speed_mps], np.float32),
            'noise': noise.astype(np.float32),
        }
        plans: NDArray[np.float32] = self._denoise.run(None, feed)[0]
        return plans

    def reset(self) -> None:
        """Forget features and text prefix, zero the cache."""
        self._features.clear()
        self._prefix = ()
        self._prefix_hidden = np.zeros((0, self._decode.width), np.float32)
        self._decode.clear()

    def warm_up(self) -> None:
        """One cycle on made-up input."""
        frames, ego, noise = made_up_input(self.profile)
        reasoning = self.reason(self.encode(frames), ego, '', '', '')
        self.denoise(reasoning.condition, noise)
        self.reset()

    def close(self) -> None:
        """Drop the sessions."""
        del self._encoder, self._fusion, self._decode, self._denoise


class _Pass:
    """Feeds CoC chunks to the decode session, the scene together with the first one."""

    def __init__(
        self, session: DecodeSession, layout: Sequence, scene: NDArray[np.float32],
        bias: NDArray[np.float32],
    ) -> None:  # fmt: skip
        self.session, self.layout, self.scene, self.bias = session, layout, scene, bias
        self._scene_hidden = scene
        self._coc_hidden: list[NDArray[np.float32]] = []

    def __call__(self, tokens: Tokens[int], start: int) -> Float[np.ndarray, 'N V']:
        """See ``decode.Feed``."""
        lead = 0 if start else len(self.scene)
        count = lead + len(tokens)
        ids = np.zeros(count, np.int64)
        ids[lead:] = tokens
        extra = np.zeros((count, self.session.width), np.float32)
        extra[:lead] = self.scene[:lead]
        place = self.layout.prefix + (len(self.scene) + start if start else 0)
        logits, hidden = self.session.run(
            ids, np.arange(count) >= lead, extra, self.layout.positions(place, count),
            self.layout.mask(place, count, None if start else self.bias), place,
        )  # fmt: skip
        if not start:
            self._scene_hidden = hidden[:lead]
        del self._coc_hidden[start:]
        self._coc_hidden.extend(hidden[lead:])
        if start:
            return np.concatenate([np.zeros((1, logits.shape[1]), np.float32), logits])
        return logits[lead - 1 :]

    def hidden(self, count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Hidden states of the scene and of the first ``count`` CoC tokens."""
        coc = np.array(self._coc_hidden[:count], np.float32)
        return self._scene_hidden, coc.reshape(-1, self.session.width)
