"""Reading a YAML file that somebody else may have written: bounded in bytes, nodes and depth.

YAML lets a few hundred bytes stand for billions of values (an anchor whose aliases hold aliases),
lets the last of two equal keys win, and nests without end.  Here the first and the third are
counted before anything is built, and the second is refused.  Tags that name a type are no part of
YAML's safe schema, so nothing is called.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from alpamayo_ros.statuses import ConfigError

MOST_BYTES = 4 << 20
MOST_NODES = 200_000  # aliases count as what they stand for
MOST_DEEP = 40


class YamlError(yaml.YAMLError, ConfigError):
    """A file that is no YAML, or more of it than is read; the text names the file."""


class _BoundedLoader(yaml.SafeLoader):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth, self._nodes = 0, 0
        self._sizes: dict[int, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """A node and what is below it; YamlError before it becomes too much."""
        alias, before = self.check_event(yaml.AliasEvent), self._nodes
        line = self.peek_event().start_mark.line + 1
        self._depth += 1
        self._nodes += not alias
        if self._depth > MOST_DEEP:
            raise YamlError(f'line {line} lies more than {MOST_DEEP} levels deep')
        node = super().compose_node(parent, index)
        if alias and id(node) not in self._sizes:
            raise YamlError(f'line {line} repeats what it is itself a part of')
        self._nodes += self._sizes[id(node)] if alias else 0
        if self._nodes > MOST_NODES:
            raise YamlError(f'up to line {line} it holds more than {MOST_NODES} values')
        self._sizes[id(node)] = self._nodes - before
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A dict; YamlError where a key stands twice."""
        seen: set[str] = set()
        for key in (k for k, _ in node.value if isinstance(k, yaml.ScalarNode)):
            if key.value in seen:
                line = key.start_mark.line + 1
                raise YamlError(f'line {line} has the key {key.value[:80]!r} a second time')
            seen.add(key.value)
        return dict(super().construct_mapping(node, deep))


def read_yaml(path: str | Path) -> Any:
    """What the file holds; FileNotFoundError where it is missing, else YamlError says why not."""
    file = Path(path)
    if file.exists() and not file.is_file():
        raise YamlError(f'{file} is no regular file; expected a YAML file')
    try:
        return parse_yaml(_text(file))
    except FileNotFoundError:
        raise
    except UnicodeDecodeError as error:
        raise YamlError(f'{file}: no text in UTF-8 (byte {error.start})') from error
    except yaml.MarkedYAMLError as error:
        line = '' if error.problem_mark is None else f':{error.problem_mark.line + 1}'
        raise YamlError(f'{file}{line}: no valid YAML: {error.problem}') from error
    except (yaml.YAMLError, ValueError) as error:
        raise YamlError(f'{file}: {" ".join(str(error).split())}') from error


def compose_yaml(path: str | Path) -> yaml.Node | None:
    """The nodes of a file that ``read_yaml`` has taken, each with its place."""
    loader = _BoundedLoader(_text(Path(path)))
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def parse_yaml(text: str) -> Any:
    """The value of a YAML text; yaml.YAMLError or ValueError where it is refused."""
    loader = _BoundedLoader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def _text(file: Path) -> str:
    with file.open('rb') as opened:
        data = opened.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise YamlError(f'it has more than {MOST_BYTES} bytes')
    return data.decode()
