"""Candidates to an answer: evidence.py chooses sentences, prompt.py asks, verify.py checks, generate.py assembles."""
