"""Clips: 8 to 30 s of driving with pictures, motion and words; stored, loaded, filtered, shown."""
