"""A question to its candidates. stages.py has the stages in their order; none of them knows of traces.

spelling.py       typing errors repaired        manner.py   how the answer is wished for, taken out
contextualise.py  a follow-up made whole        split.py    a question that asks two things
expand.py         words the documents lack      search.py   the two searches
fuse.py           rank fusion, and sorting      rerank.py   the cross-encoder's word
select.py         what is kept, and why         needed.py   what would have kept a candidate
"""
