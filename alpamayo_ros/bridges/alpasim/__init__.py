"""AlpaSim's egodriver contract (NVlabs/alpasim, gRPC): this package as the driver."""
