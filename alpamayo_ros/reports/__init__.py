"""Pages, plots and bags that show a run to a person."""
