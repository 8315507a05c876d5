"""A question to its candidates: spelling.py, contextualise.py, search.py, fuse.py, rerank.py, select.py.

No stage knows of traces.
"""
