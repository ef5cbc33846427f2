"""What a person asks of a running graph: arming, its state, its topics."""
