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
