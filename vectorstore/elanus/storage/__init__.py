"""Rows on disk and in memory: the catalogue and its log, immutable parts, views, and what keeps them safe."""
