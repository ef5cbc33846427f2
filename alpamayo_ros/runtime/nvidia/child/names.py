"""Where the vendor keeps what is used of its package."""

from __future__ import annotations

PACKAGE = 'alpamayo1_5'
CONFIG = f'{PACKAGE}.config'
MODEL = f'{PACKAGE}.models.alpamayo1_5'
TOKENS = f'{PACKAGE}.models.token_utils'
