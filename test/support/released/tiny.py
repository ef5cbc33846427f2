"""A tiny random Alpamayo 1.5 on disk: the real vocabulary, few and narrow layers.

Runs under the vendor's interpreter.  ``make(home, folder)``: ``home`` holds ``alpamayo1.5`` (a
checkout of NVlabs/alpamayo1.5) and ``qwen.tiktoken`` (Qwen's vocabulary, from the package
qwen_agent).
"""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

# PyPI's torchvision registers shapes of operators that a CPU torch has not; none is used here.
sys.modules.setdefault('torchvision._meta_registrations', types.ModuleType('none'))

WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r'|\s*[\r\n]+|\s+(?!\S)|\s+'
)
SPECIAL = (
    'endoftext im_start im_end object_ref_start object_ref_end box_start box_end quad_start '
    'quad_end vision_start vision_end vision_pad image_pad video_pad'
).split()
TOOLS = ('<tool_call>', '</tool_call>')
MIDDLE = [f'<|{name}|>' for name in 'fim_prefix fim_middle fim_suffix fim_pad repo_name'.split()]
LAST = ('<|file_sep|>', '<tool_response>', '</tool_response>', '<think>', '</think>')
TEMPLATE = (
    "{%- for m in messages %}{{- '<|im_start|>' + m.role + '\\n' }}{%- for c in m.content %}"
    "{%- if c.type == 'image' %}{{- '<|vision_start|><|image_pad|><|vision_end|>' }}"
    "{%- else %}{{- c.text }}{%- endif %}{%- endfor %}{{- '<|im_end|>\\n' }}{%- endfor %}"
)
PIXELS = {
    'patch_size': 16, 'temporal_patch_size': 2, 'merge_size': 2, 'image_mean': [0.5] * 3,
    'image_std': [0.5] * 3, 'processor_class': 'Qwen3VLProcessor',
}  # fmt: skip
TEXT: dict[str, Any] = {
    'vocab_size': 151936, 'hidden_size': 64, 'intermediate_size': 128, 'num_hidden_layers': 4,
    'num_attention_heads': 4, 'num_key_value_heads': 2, 'head_dim': 32, 'rope_theta': 5000000,
    'rope_scaling': {
        'mrope_interleaved': True, 'mrope_section': [6, 5, 5], 'rope_type': 'default'
    },
    'rms_norm_eps': 1e-6, 'hidden_act': 'silu', 'tie_word_embeddings': False,
    'attention_bias': False, 'model_type': 'qwen3_vl_text', 'dtype': 'float32',
    'bos_token_id': 151643, 'eos_token_id': 151645, 'max_position_embeddings': 262144,
}  # fmt: skip
VISION: dict[str, Any] = {
    'depth': 6, 'hidden_size': 64, 'intermediate_size': 96, 'num_heads': 4, 'patch_size': 16,
    'spatial_merge_size': 2, 'temporal_patch_size': 2, 'out_hidden_size': 64, 'in_channels': 3,
    'num_position_embeddings': 2304, 'deepstack_visual_indexes': [1, 3, 5],
    'hidden_act': 'gelu_pytorch_tanh', 'model_type': 'qwen3_vl',
}  # fmt: skip
SPACE = 'alpamayo1_5.action_space'
ACTIONS = {  # the released constants
    '_target_': f'{SPACE}.UnicycleAccelCurvatureActionSpace',
    'accel_mean': 0.02902694707164455, 'accel_std': 0.6810426736454882,
    'curvature_mean': 0.0002692167976330542, 'curvature_std': 0.026148280660833106,
    'accel_bounds': [-9.8, 9.8], 'curvature_bounds': [-0.33, 0.33], 'dt': 0.1, 'n_waypoints': 64,
}  # fmt: skip


def make_vlm(vocabulary: Path, folder: Path) -> None:
    """Tokenizer, processor and configuration as the language model's own folder has them."""
    from transformers import Qwen2TokenizerFast
    from transformers.convert_slow_tokenizer import TikTokenConverter

    special = [f'<|{name}|>' for name in SPECIAL] + [*TOOLS, *MIDDLE, *LAST]
    made = TikTokenConverter(
        vocab_file=str(vocabulary), pattern=WORDS, extra_special_tokens=special
    )
    made.additional_special_tokens = special
    fast = Qwen2TokenizerFast(
        tokenizer_object=made.converted(), eos_token='<|im_end|>', pad_token='<|endoftext|>',
        unk_token=None, bos_token=None,
    )  # fmt: skip
    fast.save_pretrained(folder)
    image = {'size': {'longest_edge': 16777216, 'shortest_edge': 65536}}
    video = {'size': {'longest_edge': 25165824, 'shortest_edge': 4096}}
    files: dict[str, dict[str, Any]] = {
        'chat_template.json': {'chat_template': TEMPLATE},
        'preprocessor_config.json': {
            **PIXELS, **image, 'image_processor_type': 'Qwen2VLImageProcessorFast'
        },
        'video_preprocessor_config.json': {
            **PIXELS, **video, 'video_processor_type': 'Qwen3VLVideoProcessor'
        },
        'generation_config.json': {
            'do_sample': True, 'eos_token_id': [151645, 151643], 'pad_token_id': 151643,
            'temperature': 0.7, 'top_k': 20, 'top_p': 0.8, 'bos_token_id': 151643,
        },
        'config.json': {
            'architectures': ['Qwen3VLForConditionalGeneration'], 'model_type': 'qwen3_vl',
            'text_config': TEXT, 'vision_config': VISION, 'image_token_id': 151655,
            'video_token_id': 151656, 'vision_start_token_id': 151652,
            'vision_end_token_id': 151653, 'tie_word_embeddings': False,
        },
    }  # fmt: skip
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))


def config(vlm: Path) -> Any:
    """The vendor's configuration with the released constants and a narrow expert."""
    from alpamayo1_5.config import Alpamayo1_5Config

    return Alpamayo1_5Config(
        vlm_name_or_path=str(vlm), attn_implementation='sdpa', model_dtype='float32',
        add_special_tokens=True, traj_vocab_size=4000, tokens_per_history_traj=48,
        tokens_per_future_traj=128, min_pixels=163840, max_pixels=196608,
        traj_tokenizer_cfg={
            '_target_': f'{SPACE}.discrete_action_space.DiscreteTrajectoryTokenizer',
            '_recursive_': False, 'action_space_cfg': {'_target_': ACTIONS['_target_']},
            'dims_min': [-10, -10], 'dims_max': [10, 10], 'num_bins': 3000,
        },
        hist_traj_tokenizer_cfg={
            '_target_': 'alpamayo1_5.models.delta_tokenizer.DeltaTrajectoryTokenizer'
        },
        action_space_cfg=ACTIONS,
        diffusion_cfg={
            '_target_': 'alpamayo1_5.diffusion.flow_matching.FlowMatching',
            'int_method': 'euler', 'num_inference_steps': 10,
        },
        action_in_proj_cfg={
            '_target_': 'alpamayo1_5.models.action_in_proj.PerWaypointActionInProjV2',
            'hidden_size': 32, 'max_freq': 100.0, 'num_enc_layers': 2, 'num_fourier_feats': 20,
        },
        action_out_proj_cfg={'_target_': 'torch.nn.Linear'},
        expert_cfg={
            'hidden_size': 48, 'intermediate_size': 96, 'num_attention_heads': 2, 'head_dim': 32
        },
        include_camera_ids=True, include_frame_nums=True,
    )  # fmt: skip


def make(home: Path, folder: Path) -> None:
    """``folder/vlm`` and ``folder/checkpoint``; matrices are three times as large as drawn.

    Drawn as they are, logits are flat and no input would matter.
    """
    import torch

    sys.path.insert(0, str(home / 'alpamayo1.5/src'))
    (folder / 'vlm').mkdir()
    make_vlm(home / 'qwen.tiktoken', folder / 'vlm')
    from alpamayo1_5.models.alpamayo1_5 import Alpamayo1_5

    torch.manual_seed(0)
    model = Alpamayo1_5(config(folder / 'vlm')).eval()
    with torch.no_grad():
        for values in model.parameters():
            if values.dim() > 1:
                values.mul_(3.0)
    save(model, folder / 'checkpoint')


def save(model: Any, folder: Path) -> None:
    """As a checkpoint; ``save_pretrained`` would ask the hub for a default configuration."""
    from safetensors.torch import save_file

    folder.mkdir()
    values = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file(values, folder / 'model.safetensors', metadata={'format': 'pt'})
    (folder / 'config.json').write_text(json.dumps(model.config.to_dict(), default=str))
