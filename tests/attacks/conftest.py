"""The corpus is never imported here: it would do to pytest what it does to a worker."""

collect_ignore_glob = ["corpus/*", "honest/*"]
