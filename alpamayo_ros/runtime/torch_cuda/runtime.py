"""The package's own models on an NVIDIA GPU by torch: a cycle of CUDA graphs over fixed buffers.

Not yet run on a GPU (docs/engines.md).  Tests run the same code on a CPU, where nothing is
recorded, against the reference ``torch_runtime``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load as load_safetensors

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.model.fast.made_up import numbers_of
from alpamayo_ros.model.fast.rules import Guess
from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.narrow import widen
from alpamayo_ros.model.prompt import prefix_ids
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import Condition, Features, HeldCondition, HeldFeatures, Identity
from alpamayo_ros.runtime.decode import Draft
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.runtime.manifest import ModelFiles
from alpamayo_ros.runtime.registry import WEIGHTS
from alpamayo_ros.runtime.text import bounded_text
from alpamayo_ros.runtime.text_model import grammar_and_weights
from alpamayo_ros.runtime.torch_cuda.stages import DeviceStages
from alpamayo_ros.runtime.word_mode import SEQUENTIAL
from alpamayo_ros.types import Conditioning, FrameStack, Reasoning

KIND = 'torch_cuda'


class CudaRuntime:
    """Runtime protocol over :class:`DeviceStages`, which hold one cycle.

    What an older cycle left is made again when it is asked for, so that equal inputs give equal
    candidates.  ``word_mode`` as in :class:`alpamayo_ros.runtime.staged.StagedRuntime`.
    """

    def __init__(
        self, profile: ModelProfile, identity: Identity, grammar: Grammar, stages: DeviceStages
    ) -> None:
        self.profile, self.identity, self.grammar = profile, identity, grammar
        self.word_mode = SEQUENTIAL
        self.encoded = self.passes = 0  # timesteps and passes of words, of the newest cycle
        self._stages = stages
        self._features: HeldFeatures | None = None
        self._condition: HeldCondition | None = None
        self._after: Conditioning | None = None  # whose words ``words_after`` has to decode

    def encode(self, frames: FrameStack) -> Features:
        """Only timesteps that no page holds are new."""
        self._condition = self._features = self._after = None
        self.encoded = self._stages.encode(frames)
        self._features = HeldFeatures.of(frames)
        return self._features

    def reason(self, features: Features, given: Conditioning) -> Reasoning:
        """Read what is new, and write the chain of causation under the grammar."""
        older = self.word_mode.older(self.grammar, given)
        if older is not None and self.word_mode.concurrent:
            return self._by_older(features, given, older)
        if older is not None:
            return replace(self.say(features, given, older), kept=True)
        held = self._before_words(features, given)
        ids, self.passes = self._stages.words(self._guess(given))
        text, cut = bounded_text(self.grammar.text(ids))
        self._condition = HeldCondition.of(given, held)
        whole = bool(ids) and ids[-1] == self.grammar.tokenizer.special('end')
        return Reasoning(text, ids, self._condition, cut or not whole)

    def say(self, features: Features, given: Conditioning, ids: tuple[int, ...]) -> Reasoning:
        """As ``reason`` with words that are given instead of decoded; for interventions."""
        held = self._before_words(features, given)
        self._stages.say(ids)
        self.passes = 1
        self._condition = HeldCondition.of(given, held, ids)
        return Reasoning(self.grammar.text(ids), ids, self._condition)

    def _by_older(
        self, features: Features, given: Conditioning, older: tuple[int, ...]
    ) -> Reasoning:
        """One pass by older words; where decoding confirms them they are this cycle's."""
        held = self._before_words(features, given)
        own, self.passes = self._stages.ask(older, self._guess(given)), 1
        self._after = None if own else given
        self._condition = HeldCondition.of(given, held, older)
        return Reasoning(self.grammar.text(older), older, self._condition, kept=not own)

    def words_after(self) -> str:
        """Words of the newest ``reason``, where it went by older ones; '' where it did not."""
        if self._after is None:
            return ''
        given, self._after, self._condition = self._after, None, None
        ids, self.passes = self._stages.words(self._guess(given))
        return bounded_text(self.grammar.text(ids))[0]

    def _guess(self, given: Conditioning) -> Guess:
        return Draft(self.grammar, given.previous_text).guess

    def _before_words(self, features: Features, given: Conditioning) -> HeldFeatures:
        assert isinstance(features, HeldFeatures) and features.frames is not None
        if features is not self._features:
            self.encode(features.frames)
            self._features = features
        text, inputs = self.profile.text, self.profile.inputs
        tokenizer = self.grammar.tokenizer
        prefix = prefix_ids(tokenizer, given.navigation, given.prompt, text.max_prefix)
        room = inputs.prior_coc
        prior = (self.grammar.parse(given.previous_text) or ())[:room] if room else ()
        self._condition = self._after = None
        self._stages.before_words(features.frames, given, prefix, prior)
        return features

    def denoise(
        self, condition: Condition, noise: Float[np.ndarray, 'K P 3']
    ) -> Float[np.ndarray, 'K P 3']:
        """Candidates from noise; what is no number is forgotten with all that it may have met."""
        assert isinstance(condition, HeldCondition) and condition.features is not None
        if condition is not self._condition:
            if condition.said is None:
                self.reason(condition.features, condition.given)
            else:
                self.say(condition.features, condition.given, condition.said)
            self._condition = condition
        plans = self._stages.plans(noise)
        if not np.isfinite(plans).all():
            self.reset()
        return plans

    def reset(self) -> None:
        """Forget pictures, text and condition, zero what was kept."""
        self._features = self._condition = self._after = None
        self._stages.clear()

    def warm_up(self) -> None:
        """Every graph once, on made-up input: a first call records."""
        frames, given, noise = made_up_input(self.profile)
        reasoning = self.reason(self.encode(frames), given)
        self.denoise(reasoning.condition, noise)
        self.say(self.encode(frames), given, reasoning.token_ids)
        self._by_older(self.encode(frames), given, reasoning.token_ids)
        self.reset()

    def close(self) -> None:
        """Free the device's memory."""
        del self._stages
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def load(files: ModelFiles, profile: ModelProfile, device: str = 'cuda') -> CudaRuntime | Fault:
    """Model and grammar from verified bytes, on ``device``.

    Weights that were stored in bfloat16 compute in it, all others in float32.
    """
    found = grammar_and_weights(files, profile)
    if isinstance(found, Fault):
        return found
    grammar, data = found
    weights = load_safetensors(data)
    narrow = any(weight.dtype == torch.bfloat16 for weight in weights.values())
    dtype = torch.bfloat16 if narrow else torch.float32
    if device == 'cuda' and not narrow:  # convolutions would round their inputs to ten bits
        torch.backends.cudnn.allow_tf32 = False
    try:
        with numbers_of(dtype), torch.device(device):
            model = VLA(profile)
        widen(model).load_state_dict(weights)
        stages = DeviceStages(model, grammar)
    except torch.OutOfMemoryError as error:
        return _no_room(profile, error)
    except RuntimeError as error:
        return Fault(Code.MODEL_FORMAT, f'{WEIGHTS}: {error}'[:500])
    identity = Identity(KIND, profile.name, files.sha256, files.manifest.version)
    runtime = CudaRuntime(profile, identity, grammar, stages)
    try:
        runtime.warm_up()
    except torch.OutOfMemoryError as error:
        return _no_room(profile, error)
    return runtime


def _no_room(profile: ModelProfile, error: torch.OutOfMemoryError) -> Fault:
    text = f'{profile.name} does not fit this GPU (alpamayo model show counts): {error}'
    return Fault(Code.MODEL_PROVIDER, text[:500])


def no_gpu() -> Fault | None:
    """In one sentence why torch finds no GPU."""
    if torch.cuda.is_available():
        return None
    text = 'the NVIDIA driver answers no torch: nvidia-smi says why'
    if torch.version.cuda is None:
        text = f'torch {torch.__version__} is a CPU build: install one for CUDA'
    text = f'runtime {KIND!r} needs an NVIDIA GPU; {text}, or use --runtime torch.'
    return Fault(Code.MODEL_PROVIDER, text)
