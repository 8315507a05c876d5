"""Teaches the embedded language model to phrase grounded answers: data, a LoRA adapter in GGUF, measures."""
