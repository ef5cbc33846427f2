"""Commands about clips: making, filtering, reviewing them, and shards of them."""
