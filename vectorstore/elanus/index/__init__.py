"""Search structures over arrays and masks: they know vectors, postings and row numbers, never storage."""
