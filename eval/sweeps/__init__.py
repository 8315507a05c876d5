"""Sweeps over settings: a run for each combination, as a table and as a plot of quality against waiting time."""
