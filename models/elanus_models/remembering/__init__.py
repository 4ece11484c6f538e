"""Vectors that are kept on disk, so that a text is embedded once."""
