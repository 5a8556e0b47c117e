"""Models around models: retry, rate limit, cache, fallbacks, metrics. They compose in any order."""
