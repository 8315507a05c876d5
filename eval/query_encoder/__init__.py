"""The query encoder's training: questions learn, against fixed vectors of texts, where their answers lie."""
