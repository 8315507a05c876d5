"""Measuring Glassbox: gold questions, the benchmark, and the training of the reranker."""
