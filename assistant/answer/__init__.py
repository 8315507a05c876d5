"""Candidates to an answer: evidence.py chooses sentences, prompt.py asks, verify.py checks, generate.py assembles.

decline.py   what is said where the documents do not answer
expected.py  what an answer to a kind of question must hold
overview.py  questions about the documents themselves
"""
