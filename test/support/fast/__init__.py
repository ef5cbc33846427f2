"""What tests of the cycle in static shapes share."""
