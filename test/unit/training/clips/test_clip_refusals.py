"""Recordings that no replay would plan on: neither their pictures nor their motion are learnt."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from made_up_clips import NANO, StraightClip, rig

from alpamayo_ros.bags.bag import BagReader, BagWriter
from alpamayo_ros.training.clips.cutting import Cut, cut_clip
from alpamayo_ros.training.clips.pictures import decoded
from alpamayo_ros.training.clips.recorded_clip import ClipError, RecordedClip, RecordedClips
from alpamayo_ros.training.clips.samples import samples
from alpamayo_ros.training.clips.sources import open_source
from alpamayo_ros.types import EgoState


class Reversed(StraightClip):
    """Its speed has the wrong sign, as of a sensor that is mounted facing backwards."""

    @property
    def states(self) -> list[EgoState]:
        return [replace(s, speed_mps=-s.speed_mps) for s in super().states]


def test_motion_that_contradicts_itself_gives_no_sample_and_no_clip(tmp_path: Path) -> None:
    assert not list(samples(Reversed(), NANO))
    (said,) = list(cut_clip(Reversed(), tmp_path, Cut(20.0, 'a test'), NANO))
    assert isinstance(said, str) and 'its speed contradicts its positions' in said
    assert not any(tmp_path.iterdir())


def relabelled(folder: Path, text: str, data: bytes) -> RecordedClip:
    """The recording with this format and these bytes in every picture."""
    out = folder / 'other.mcap'
    with BagWriter(out) as writer:
        for item in BagReader(folder / 'drive.mcap'):
            message: Any = item.message
            if hasattr(message, 'format'):
                picture = np.frombuffer(data, np.uint8)
                message = replace(message, format=text, data=picture)
            writer.write(item.topic, message, item.time_ns)
    return RecordedClip(out, folder / 'drive.rig.yaml')


def test_a_picture_of_another_camera_makes_no_clip(folder: Path) -> None:
    rig_file = folder / 'drive.rig.yaml'
    text = rig_file.read_text()
    assert 'camera_front_optical' in text
    rig_file.write_text(text.replace('camera_front_optical', 'camera_back_optical'))
    clip = RecordedClip(folder / 'drive.mcap')
    said = "front: expected frame_id 'camera_back_optical', got 'camera_front_optical'; compare"
    with pytest.raises(ClipError, match=f'drive.mcap: CAM_IDENTITY {said}'):
        next(clip.pictures())


def jpeg(bgr: tuple[int, int, int]) -> bytes:
    return cv2.imencode('.jpg', np.full((36, 64, 3), bgr, np.uint8))[1].tobytes()


def test_a_mosaic_is_no_picture(folder: Path) -> None:
    clip = relabelled(folder, 'bayer_rggb8; jpeg compressed ', jpeg((9, 9, 9)))
    with pytest.raises(ClipError, match='front: IMG_ENCODING .*bayer_rggb8'):
        next(clip.pictures())


@pytest.mark.parametrize(
    ('text', 'red'), [('bgr8; jpeg compressed bgr8', False), ('rgb8; jpeg compressed rgb8', True)]
)
def test_a_picture_whose_colours_changed_places_gets_them_back(
    text: str, red: bool, folder: Path
) -> None:
    clip = relabelled(folder, text, jpeg((250, 10, 10)))
    pixel = decoded(next(clip.pictures()), rig())['front'][18, 32]
    assert (pixel[0] > 200, pixel[2] > 200) == (red, not red)


def test_a_folder_of_bags_is_a_recording_without_its_metadata_too(folder: Path) -> None:
    bags = folder.parent.parent / 'killed'
    bags.mkdir()
    (folder / 'drive.mcap').rename(bags / 'killed_0.mcap')
    assert isinstance(open_source(str(bags)), RecordedClips)
