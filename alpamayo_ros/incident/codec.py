"""The records that enter and leave ``decide`` as JSON text, and back without a changed bit.

Floats are written as Python prints them, which is exact; arrays are their bytes in base 64.  A
value that JSON has no word for is an object with one key, the name of its kind.  Reading makes
nothing but the kinds listed here; ValueError for any other.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np
from pydantic import BaseModel

from alpamayo_ros.incident.kinds import ENUMERATIONS, MODELS, RECORDS, misfit

DTYPES = ('<f4', '<f8', '<i8', '|b1')


def encoded(value: Any) -> str:
    """A value as one line of JSON; TypeError for one that no decision holds."""
    return json.dumps(_plain(value), separators=(',', ':'))


def decoded(text: str | bytes) -> Any:
    """The value of such a line; ValueError says what is no value of a decision."""
    try:
        return _value(json.loads(text))
    except (AttributeError, OverflowError, RecursionError, TypeError) as error:
        raise ValueError(f'no record of a decision: {error}') from error


def _plain(value: Any) -> Any:
    """What ``json`` can write."""
    if isinstance(value, Enum):
        return {type(value).__name__: value.name}
    if isinstance(value, np.generic | np.ndarray):
        array = np.asarray(value)
        flat = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode('ascii')
        kind = 'array' if isinstance(value, np.ndarray) else 'number'
        return {kind: [_dtype(array.dtype.str), list(array.shape), flat]}
    if isinstance(value, tuple):
        return {'tuple': [_plain(item) for item in value]}
    if isinstance(value, Mapping):
        return {'dict': {str(name): _plain(item) for name, item in value.items()}}
    if isinstance(value, BaseModel):
        return {type(value).__name__: _plain(value.model_dump())}
    if is_dataclass(value):
        body = {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
        return {type(value).__name__: body}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _value(plain: Any) -> Any:
    """The value that ``_plain`` was made of."""
    if isinstance(plain, list):
        return [_value(item) for item in plain]
    if not isinstance(plain, dict):
        return plain
    if len(plain) != 1:
        raise ValueError(f'expected an object with one key, got {len(plain)}')
    ((kind, body),) = plain.items()
    if kind == 'tuple':
        return tuple(_value(item) for item in body)
    if kind == 'dict':
        return {name: _value(item) for name, item in body.items()}
    if kind in ('array', 'number'):
        array = _array(*body)
        return array if kind == 'array' else array[()]
    if kind in RECORDS:
        record = RECORDS[kind](**{name: _value(item) for name, item in body.items()})
        if wrong := misfit(record):
            raise ValueError(f'{wrong} holds no value of its type')
        return record
    return _named(kind, body)


def _named(kind: str, body: Any) -> Any:
    """A value of an enumeration, or a model of pydantic with all its bounds checked."""
    if kind in ENUMERATIONS:
        members: Mapping[str, Any] = ENUMERATIONS[kind].__members__
        if body not in members:
            raise ValueError(f'{ascii(body)[:40]} is no {kind}')
        return members[body]
    if kind not in MODELS:
        raise ValueError(f'{ascii(kind)[:40]} is no kind of value of a decision')
    return MODELS[kind].model_validate(_value(body))


def _array(dtype: Any, shape: Any, flat: Any) -> np.ndarray:
    """An array of its bytes; ValueError where type, shape and bytes do not fit."""
    data = base64.b64decode(flat, validate=True)
    if any(type(n) is not int or n < 0 for n in shape):
        raise ValueError('the shape of an array is no list of counts')
    if len(data) != np.dtype(_dtype(dtype)).itemsize * math.prod(shape):
        raise ValueError(f'an array of {dtype} {shape} has {len(data)} bytes')
    return np.frombuffer(data, dtype=dtype).reshape(shape).copy()


def _dtype(name: str) -> str:
    if name not in DTYPES:
        raise ValueError(f'arrays of a decision are of {DTYPES}, not {ascii(name)[:40]}')
    return name
