"""Names of the towns, ``config/maps/<name>.net.xml.gz``; ``make_maps.sh`` beside them makes them.

A drive without a town takes one of ``MAP_NAMES``; ``TRAINING_MAPS`` are met in random worlds
alone, so that a model does not learn the junctions of the two towns that ``train`` templates name.
"""

MAP_NAMES = tuple(f'town_{k}' for k in range(6))
TRAINING_MAPS = tuple(f'town_{k}' for k in range(6, 22))
