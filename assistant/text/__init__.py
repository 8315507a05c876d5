"""The structure of a text, as pure functions over strings that answer with character spans.

sections.py   headings, in Markdown and in plain text
chapters.py   the chapters of documents and their numbers
blocks.py     paragraphs, lists, tables and code within a section
tables.py     rows and cells, also of tables whose column separators were lost
segment.py    where sentences end
sentences.py  the units that can be quoted as evidence
announced.py  sentences that only announce what follows, with it
readable.py   a chunk as models read it
place.py      where a text stands, in words
pasted.py     the chunk in which a pasted passage stands

and of a question:

askable.py    what can be asked
names.py      the names in it
compared.py   the things that it sets side by side
forms.py      the form of passage that it asks for
words.py      words that say nothing by themselves
"""
