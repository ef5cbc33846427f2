"""What the released Alpamayo models are made of."""
