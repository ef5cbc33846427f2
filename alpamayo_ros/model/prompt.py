"""The text that stands before the pictures; what changes least comes first.

Its keys are then reused.  ``<|bos|> <|prompt|> text <|navigation|> text <|vision|>``, at most
``max_prefix`` tokens; the prompt is cut before the navigation instruction is.
"""

from __future__ import annotations

from alpamayo_ros.model.tokenizer import Tokenizer


def prefix_ids(
    tokenizer: Tokenizer, navigation: str, prompt: str, max_prefix: int
) -> tuple[int, ...]:
    """Token ids of the text prefix; absent texts ('') leave their opener alone."""
    special = tokenizer.special
    route = tokenizer.encode_text(navigation)[: max_prefix - 4]
    room = max_prefix - 4 - len(route)
    wish = tokenizer.encode_text(prompt)[:room]
    return (
        special('bos'),
        special('prompt'),
        *wish,
        special('navigation'),
        *route,
        special('vision'),
    )


def corpus(phrases: list[str]) -> list[str]:
    """Sentences the tokenizer is trained on.

    The grammar's phrases, navigation wording, driving words.
    """
    turns = [
        'turn left',
        'turn right',
        'go straight',
        'follow the road',
        'make a U-turn',
        'take the exit',
        'merge',
    ]
    places = [
        'at the next junction',
        'at the traffic light',
        'at the roundabout',
        'onto',
        'at the stop sign',
    ]
    distances = [
        f' in {d} m'
        for d in (5, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 250, 300, 400, 500)
    ]
    words = [
        'drive carefully', 'please', 'slowly', 'children', 'wet road', 'passenger', 'comfortably',
        'street', 'road', 'avenue', 'highway', 'car', 'truck', 'bus', 'cyclist', 'pedestrian',
        'red light', 'green light',
    ]  # fmt: skip
    lines = [f'{t}{d}' for t in turns for d in distances]
    lines += [f'{t} {p}' for t in turns for p in places]
    return [*phrases * 20, *lines, *words]
