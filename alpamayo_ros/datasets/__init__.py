"""Foreign data in: public data sets and recorded traffic, as bags and as logs."""
