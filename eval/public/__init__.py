"""Public test sets in BEIR's layout and TREC run files: read, indexed, asked, scored."""
