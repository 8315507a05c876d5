"""Training of the reranker: sources, rules, mining, the network's training, evaluation, calibration, export."""
