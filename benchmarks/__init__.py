"""What motiflens is measured against, and the measurements."""
