"""The documentation site's sources; `docs.planted` is imported by its tests."""
