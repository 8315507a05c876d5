"""Files to an index: load.py reads, chunk.py cuts, index.py plans by content hash and applies."""
