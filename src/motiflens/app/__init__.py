"""The bench: a run's models in the browser, changed base by base; for `motiflens serve`."""
