"""The lexical index: words by stem, typing errors, words that the documents do not use."""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.catalog.database import Database
from assistant.catalog.documents import Documents
from assistant.catalog.lexical import Lexical
from assistant.records import Chunk
from assistant.retrieve.expand import expand
from assistant.retrieve.spelling import repair
from tests.fakes import FakeEmbedder

WORDS = ["compare", "compresses", "feelings", "hot", "image", "pairs", "paris", "similarity", "trained", "word2vec"]


def a_chunk(name: str, text: str = "", heading: str = "H", start: int = 0, header: str = "") -> Chunk:
    text = text or f"Text of {name} alone."
    return Chunk(name, "d", heading, text, start, start + len(text), 9, header, 0 if header else -1)


@pytest.fixture()
def words(tmp_path):
    database = Database(tmp_path / "words.sqlite3")
    Documents(database)  # whose meta says when something has changed
    made = Lexical(database)
    with database.write() as connection:
        made.add(
            connection,
            [
                ("a", "Lakes", "Trains of vectors are quantized in HNSW."),
                ("b", "Lakes", "The café is not far."),
                ("c", "Rivers", "Vectors everywhere. Vectors again."),
                ("d", "", "שלום עולם 你好"),
            ],
        )
    return made


def test_words_match_by_stem_without_accents_and_score_higher_the_better(words):
    found = words.search("training of the vector", 9)
    assert [name for name, _ in found] == ["a", "c"] and all(value >= 0 for _, value in found)
    assert [value for _, value in found] == sorted((value for _, value in found), reverse=True)
    assert [name for name, _ in words.search("cafe", 9)] == ["b"]
    assert [name for name, _ in words.search("שלום", 9)] == ["d"]


@pytest.mark.parametrize("typed, meant", [
    ("wrod2vec", "word2vec"), ("imgae", "image"), ("similarty", "similarity"), ("traned", "trained"),
    ("Imgae", "Image"), ("piars", "pairs"), ("IMGAE", "IMAGE"), ("one-hto", "one-hot")])
def test_a_typing_error_is_read_as_the_documents_word_and_said(typed, meant):
    query, reason = repair(f"What is {typed}?", lambda word: word in ("what", "one"), lambda letter: [
        word for word in WORDS if word[0] == letter])
    assert query == f"What is {meant}?"
    wrong, right = typed.removeprefix("one-"), meant.removeprefix("one-").lower()
    assert reason == f'"{wrong}" is read as "{right}"'


def test_two_swapped_letters_go_before_another_edit():
    words = {"t": ["true", "turn"]}  # the more frequent first
    assert repair("What does it trun into?", lambda word: word != "trun", lambda letter: words.get(letter, []))[0] \
        == "What does it turn into?"


@pytest.mark.parametrize("typed, read", [("lema", "lemma"), ("lena", "lena"), ("summarize", "summarize")])
def test_a_missing_doubled_letter_is_put_in_and_american_spelling_is_no_error(typed, read):
    words = {"l": ["lemma"], "s": ["summarise"]}
    assert repair(f"the {typed}", lambda word: word == "the", lambda letter: words.get(letter, []))[0] == f"the {read}"


def test_another_version_or_model_is_no_typing_error():
    words = {"p": ["python2"], "i": ["iphone14"], "w": ["word2vec"]}
    for typed, read in (("python3", "python3"), ("iphone13", "iphone13"), ("wrod2vec", "word2vec")):
        assert repair(typed, lambda word: False, lambda letter: words.get(letter, []))[0] == read


@pytest.mark.parametrize("word", ["compress", "felines", "pairing", "GloVe", "IMGE", "hto", "imgs", "zebra", "don't"])
def test_a_word_that_is_none_of_the_documents_and_no_error_of_one_is_left_alone(word):
    question = f"What is {word}?"
    assert repair(question, lambda word: word == "what", lambda letter: [
        known for known in WORDS if known[0] == letter]) == (question, "")


def test_the_documents_words_are_known_as_they_are_written(words):
    assert "vectors" in words.words_from("v")
    assert words.words_from("z") == []


@given(st.text(max_size=60).filter(lambda text: "\0" not in text and text.isprintable()))
def test_no_question_is_an_error_of_syntax(tmp_path_factory, text):
    made = Lexical(Database(tmp_path_factory.mktemp("syntax") / "words.sqlite3"))
    assert made.search(text, 5) == []


@pytest.mark.parametrize(
    "query", ['"', "AND OR NOT", "a* NEAR(b)", "-", "_", "___", "😀", "body:x", "(", "x" * 5000, "the of a"]
)
def test_signs_of_the_query_language_are_words_like_others(words, query):
    assert isinstance(words.search(query, 5), list)


def test_removed_chunks_are_not_found(words):
    with words._db.write() as connection:
        words.remove(connection, ["c", "nobody"])
    assert [name for name, _ in words.search("vectors", 9)] == ["a"]


class WordEmbedder(FakeEmbedder):
    """Words of one line of `ALIKE` have nearly one vector."""

    ALIKE = ("vector vectors arrows", "far distant remote")

    def embed(self, texts):
        vectors = super().embed([next((line for line in self.ALIKE if text in line.split()), text) for text in texts])
        return vectors


def _with_vectors(words: Lexical, embedder: FakeEmbedder) -> Lexical:
    missing = words.words_without_vector()
    with words._db.write() as connection:
        words.add_word_vectors(connection, missing, embedder.embed(missing))
    return words


def test_a_word_that_the_documents_do_not_use_is_searched_as_their_nearest_words(words):
    embedder = WordEmbedder()
    more, why = expand("Are arrows remote?", _with_vectors(words, embedder), embedder)
    assert more == ["vectors", "far"]
    assert why == '"arrows" is also searched as vectors; "remote" is also searched as far'


@pytest.mark.parametrize("query", ["Are vectors far?", "quantizing trains", "the of a", "12 34", ""])
def test_words_that_the_documents_use_are_searched_as_they_are(words, query):
    embedder = WordEmbedder()
    assert expand(query, _with_vectors(words, embedder), embedder) == ([], "")


def test_a_question_of_an_index_without_word_vectors_is_searched_as_it_is(words):
    assert expand("Are arrows remote?", words, WordEmbedder()) == ([], "")


def test_word_vectors_are_those_of_the_index_as_it_is_now(shelf, tmp_path):
    """The same files and so as many words, embedded by another model; then a document less."""
    for name, text in (("one", "Onra is deep."), ("two", "Tisse is shallow.")):
        (tmp_path / f"{name}.md").write_text(text)
    files = tmp_path / "one.md", tmp_path / "two.md"
    shelf.ingest(*files)
    assert shelf.lexical.word_vectors()[1].shape[1] == 64
    shelf.embedder = FakeEmbedder("other", dim=32)
    shelf.ingest(*files, rebuild=True)
    words, vectors = shelf.lexical.word_vectors()
    assert vectors.shape == (len(words), 32) and {"deep", "shallow"} <= set(words)
    shelf.index.remove(next(d.id for d in shelf.documents.all() if d.source == "two.md"), shelf.store)
    assert "shallow" not in shelf.lexical.word_vectors()[0]


def test_word_vectors_come_back_as_they_went_in_to_half_precision_and_are_not_asked_for_twice(words):
    embedder = WordEmbedder()
    _with_vectors(words, embedder)
    known, vectors = words.word_vectors()
    assert "hnsw" in known and "the" not in known and vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, embedder.embed(known), atol=1e-3)
    assert words.words_without_vector() == []
