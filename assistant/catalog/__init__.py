"""The catalog: one SQLite file a folder of the index, one module a table group.

documents.py      documents and their chunks, and what the index was made with
lexical.py        the full-text index over the chunks (FTS5, BM25)
traces.py         what happened between each question and its answer
conversations.py  the chat's conversations
"""
