"""Scenes of a folder in nuScenes format as clips, by way of the converter to a bag."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from alpamayo_ros.datasets.nuscenes import convert
from alpamayo_ros.datasets.nuscenes_tables import scene_names
from alpamayo_ros.profile import ModelProfile, load_profile
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.clips import storage
from alpamayo_ros.training.clips.clip import UnreadableClip
from alpamayo_ros.training.clips.recorded_clip import RecordedClip


@dataclass
class NuscenesClips:
    """Every scene whose pictures are there; a scene is converted when its turn comes.

    The bag of a scene lies in a temporary folder until the next one is asked for.  ``profile``
    says which cameras count.
    """

    root: Path
    profile: ModelProfile = field(default_factory=lambda: load_profile('nano'))

    def clips(self) -> Iterator[RecordedClip | UnreadableClip]:
        """One scene after the other; those without pictures are passed over.

        ConfigError where a table is damaged, which is of all scenes.
        """
        found = 0
        for scene in scene_names(self.root):
            with tempfile.TemporaryDirectory(prefix='alpamayo-clips-') as folder:
                bag = Path(folder) / f'{storage.checked_name(scene)}.mcap'
                clip: RecordedClip | UnreadableClip = RecordedClip(bag, profile=self.profile)
                try:
                    convert(self.root, bag, scene=scene)
                except ConfigError:
                    raise
                except FileNotFoundError:
                    continue
                except ValueError as error:
                    clip = UnreadableClip(bag.stem, error)
                found += 1
                yield clip
        if not found:
            raise FileNotFoundError(f'{self.root}: no scene has its pictures there')
