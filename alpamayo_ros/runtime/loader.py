"""Open a runtime by name; whatever is missing is a fault that names it, there is no fallback."""

from __future__ import annotations

from pathlib import Path

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import ModelProfile, share_dir
from alpamayo_ros.runtime import foreign, registry
from alpamayo_ros.runtime.base import Runtime
from alpamayo_ros.runtime.golden import GOLDEN, check_golden, tell_unproven
from alpamayo_ros.runtime.manifest import MANIFEST, ModelFiles, check_profile, read_model
from alpamayo_ros.runtime.registry import Material
from alpamayo_ros.runtime.scripted import Script
from alpamayo_ros.runtime.signature import nothing_signed
from alpamayo_ros.runtime.word_mode import HasWordMode, WordMode


def model_dir(profile: ModelProfile) -> Path:
    """Folder of the model that ships for a profile."""
    return share_dir() / 'models' / profile.name


def bare_weights(folder: Path) -> str:
    """What to do with a folder of weights that nobody exported yet; '' for any other."""
    held = ', '.join(sorted(path.name for path in folder.glob('*.safetensors')))
    if not held or (folder / MANIFEST).exists():
        return ''
    return (
        f'{folder} has no {MANIFEST}, only weights ({held}): '
        f'alpamayo export {folder} --to FOLDER makes a model of them'
    )


def open_runtime(
    kind: str,
    profile: ModelProfile,
    folder: str | Path | None = None,
    script: Script | None = None,
    minimum_release: int = 0,
    words_every_s: float = 0.0,
    words_concurrent: bool = False,
    trusted_keys: str | Path | None = None,
) -> Runtime | Fault:
    """The runtime ``kind`` with the verified model of ``folder`` (default: the shipped one).

    A model with a golden answer must repeat it here, which also warms it up; one without is named
    on stderr.  ``words_every_s`` and ``words_concurrent``: see
    :class:`alpamayo_ros.runtime.word_mode.WordMode`.
    ``trusted_keys``: one of them has to have signed the manifest, so a runtime without a manifest
    is refused.
    """
    trusted = Path(trusted_keys) if trusted_keys else None
    opened = _opened(kind, profile, folder, script, minimum_release, trusted)
    if isinstance(opened, Fault) or not (words_every_s or words_concurrent):
        return opened
    if words_every_s and words_concurrent:
        text = 'words_every_s and words_concurrent exclude each other: leave one of them out'
        return Fault(Code.MODEL_PROVIDER, text)
    if not isinstance(opened, HasWordMode):
        key, value = ('words_concurrent', False) if words_concurrent else ('words_every_s', 0)
        text = f'runtime {kind!r} decodes no words by itself: {key} is {value} for it'
        return Fault(Code.MODEL_PROVIDER, text)
    opened.word_mode = WordMode(words_every_s, words_concurrent)
    return opened


def _opened(
    kind: str,
    profile: ModelProfile,
    folder: str | Path | None,
    script: Script | None,
    minimum_release: int,
    trusted: Path | None,
) -> Runtime | Fault:
    entry = registry.find(registry.of_profile(kind, profile))
    if isinstance(entry, Fault):
        return entry
    if trusted is not None and not entry.files:
        return nothing_signed(kind, trusted)
    if entry.vendor is not None:
        if not profile.released:
            text = f'runtime {kind!r} runs released checkpoints; {profile.name} is none'
            return Fault(Code.MODEL_PROVIDER, text)
        return entry.load(Material(profile, record=None if folder is None else Path(folder)))
    if not entry.files:
        return entry.load(Material(profile, script=script))
    if profile.released:
        text = f'runtime {kind!r} runs networks of this package; {profile.name} is a released '
        text += f"model (architecture {profile.architecture!r}): runtime 'nvidia' or a planner of "
        return Fault(Code.MODEL_PROVIDER, f'{text}your own ({foreign.FORM}) can run it.')
    path = Path(folder) if folder is not None else model_dir(profile)
    files = _verified(path, (*entry.files, GOLDEN), profile, minimum_release, trusted)
    runtime = files if isinstance(files, Fault) else entry.load(Material(profile, files))
    if isinstance(runtime, Fault) or isinstance(files, Fault):
        return runtime
    if GOLDEN not in files.data:
        tell_unproven(path)
        return runtime
    return check_golden(runtime, profile, files.data[GOLDEN]) or runtime


def _verified(
    path: Path, names: tuple[str, ...], profile: ModelProfile, minimum_release: int,
    trusted: Path | None,
) -> ModelFiles | Fault:  # fmt: skip
    files = read_model(path, names, minimum_release, trusted)
    if isinstance(files, Fault):
        return files
    return check_profile(files, profile) or files
