"""The running store: collections kept current, writes, and the maintenance that keeps them small."""
