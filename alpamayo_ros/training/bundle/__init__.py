"""A folder with which a bare GPU machine trains: code, wheels, weights, start and watch."""
