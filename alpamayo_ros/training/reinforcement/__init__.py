"""The third training stage: words and plans that are drawn, driven and rewarded."""
