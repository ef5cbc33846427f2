"""A profile whose sizes do not fit each other is refused, and the message says which."""

import pytest
from pydantic import ValidationError

from alpamayo_ros.profile import ModelProfile, load_profile


def changed(part, **values):
    data = load_profile('nano').model_dump()
    data[part].update(values)
    return data


def with_view(**values):
    data = load_profile('nano').model_dump()
    data['views'][3].update(values)
    return data


@pytest.mark.parametrize(
    ('data', 'message'),
    [
        (with_view(height=80), r'all views have one size; there are \[\(64, 112\), \(80, 112\)\]'),
        (changed('vision', patch=12), 'vision.patch 12 must divide height and width'),
        (
            changed('vision', window=(2, 7), global_layers=2),
            "a trunk 'vit' has them, 'queries' has none",
        ),
        (changed('vision', heads=3), 'vision.heads 3 must divide vision.width'),
        (changed('backbone', heads=5), 'backbone.heads 5 must divide backbone.width 192'),
        (changed('denoiser', heads=3), 'denoiser.heads 3 must divide denoiser.width 128'),
        (changed('backbone', kv_heads=2), 'backbone.kv_heads 2 must divide backbone.heads 3'),
        (changed('backbone', heads=64), 'RoPE rotates pairs'),
        (changed('denoiser', points_per_token=7), 'trajectory.points must be a multiple'),
    ],
)
def test_sizes_that_do_not_fit_are_refused(data, message):
    with pytest.raises(ValidationError, match=message):
        ModelProfile.model_validate(data)


MEMBER = load_profile('alpamayo-0.5b').model_dump()


@pytest.mark.parametrize(
    ('part', 'values', 'message'),
    [
        ('vision', {'pool': (7, 7)}, r'a pool of \(7, 7\) makes 49 tokens a view, not \{64\}'),
        ('vision', {'pool': (1, 64), 'patch': 450}, r'a view has \(2, 4\)'),
        ('vision', {'pool': None}, "'vit' has a patch stem and a pool"),
        ('vision', {'stem': 'conv'}, "'vit' has a patch stem and a pool"),
        ('vision', {'trunk': 'queries', 'pool': None}, 'vision.patch 16 must divide height'),
        (
            'vision',
            {'window': (18, 20), 'global_layers': 4},
            r'window \(18, 20\) must divide the patches of a view, \(57, 100\): '
            'rows 1, 3, 19, 57; columns 1, 2, 4, 5, 10, 20, 25, 50, 100',
        ),
        ('vision', {'window': (57, 100), 'global_layers': 4}, 'is the whole picture'),
        ('vision', {'window': (19, 20), 'global_layers': 5}, '5 must divide vision.layers 12'),
        ('vision', {'window': (19, 20), 'global_layers': 12}, 'is every layer'),
        ('vision', {'window': (19, 20)}, 'write both or neither'),
        ('vision', {'global_layers': 4}, 'write both or neither'),
        ('denoiser', {'levels': (30, 60)}, 'must be multiples of 8'),
        ('denoiser', {'levels': (16, 32, 64, 128)}, 'cannot be halved 3 times'),
        ('denoiser', {'levels': ()}, "a 'unet' has them"),
        ('denoiser', {'kind': 'dit'}, "a 'dit' has none"),
        ('denoiser', {'kv_heads': 3}, 'denoiser.kv_heads 3 must divide denoiser.heads 8'),
        ('denoiser', {'ffn': 96}, "a 'unet' has neither"),
        ('denoiser', {'points_per_token': 5}, "a 'unet' has neither"),
        (
            'denoiser',
            {'kind': 'dit', 'levels': (), 'kv_heads': 2},
            'only blocks with denoiser.ffn',
        ),
        ('inputs', {'map_lines': -1}, 'greater than or equal to 0'),
        ('inputs', {'ego': True}, 'Extra inputs are not permitted'),
    ],
)
def test_a_member_whose_sizes_do_not_fit_is_refused(part, values, message):
    with pytest.raises(ValidationError, match=message):
        ModelProfile.model_validate({**MEMBER, part: {**MEMBER[part], **values}})


def test_a_context_holds_the_whole_sequence():
    from alpamayo_ros.model.layout import token_layout

    backbone = {**MEMBER['backbone'], 'context': 688}
    profile = ModelProfile.model_validate({**MEMBER, 'backbone': backbone})
    with pytest.raises(ValueError, match='context 688 is less than the sequence of 689 tokens'):
        token_layout(profile)


def test_a_conv_stem_halves():
    data = load_profile('nano').model_dump()
    for view in data['views']:
        view.update(height=48, width=96)
    data['vision']['patch'] = 12
    with pytest.raises(ValidationError, match='a conv stem halves'):
        ModelProfile.model_validate(data)
    data['vision']['stem'] = 'patch'
    assert ModelProfile.model_validate(data).view_size == (48, 96)


@pytest.mark.parametrize(('stem', 'patch'), [('conv', 8), ('conv', 16), ('patch', 8)])
def test_the_encoder_has_the_patch_of_the_profile(stem, patch):
    torch = pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')
    from alpamayo_ros.model.vision.views import ViewEncoder

    data = changed('vision', stem=stem, patch=patch, layers=1)
    encoder = ViewEncoder(ModelProfile.model_validate(data)).eval()
    with torch.no_grad():
        grid = encoder.stem(torch.zeros(1, 3, 64, 112))
        tokens = encoder(torch.zeros(2, 64, 112, 3), torch.tensor([0, 1]))
    assert grid.shape[2:] == (64 // patch, 112 // patch) and tokens.shape[0] == 2
