"""The structure of a text, as pure functions over strings that answer with character spans.

sections.py   headings, in Markdown and in plain text
blocks.py     paragraphs, lists, tables and code within a section
tables.py     rows and cells, also of tables whose column separators were lost
sentences.py  the units that can be quoted as evidence
readable.py   a chunk as models read it
"""
