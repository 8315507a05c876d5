"""Questions drafted from a text by patterns of English, for eval/make_gold.py."""
