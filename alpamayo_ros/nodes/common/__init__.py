"""What every node shares: base class, parameters, QoS, conversion."""
