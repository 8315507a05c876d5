"""The phrasing adapter's pipeline: GGUF in, GGUF out, the prompt's tokens, the data's rules, the training's loop."""
from __future__ import annotations

import numpy as np
import pytest

PROMPTS = ("<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n",
           "Evidence:\n[1] The ferry leaves at 08:15 and costs 12 euros.\n\nQuestion: When does the ferry leave?",
           "A lookup table stores the answers beforehand, so that nothing has to be computed")


def llama_logits(**settings) -> list[np.ndarray]:
    import llama_cpp

    from eval.phrasing.model import embedded_file
    model = llama_cpp.Llama(str(embedded_file()), n_ctx=256, n_threads=1, n_threads_batch=1, logits_all=True,
                            verbose=False, **settings)
    found = []
    for text in PROMPTS:
        ids = model.tokenize(text.encode(), add_bos=False, special=True)
        model.reset()
        model.eval(ids)
        found.append(np.array(model.scores[:len(ids)]))
    model.close()
    return found


def torch_logits(model) -> list[np.ndarray]:
    import torch

    from eval.phrasing.chat import Chat
    chat = Chat()
    with torch.no_grad():
        return [model(torch.tensor([chat.ids_of(text)])).logits[0].float().numpy() for text in PROMPTS]


def distance(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    """Mean distance of two runs' logits."""
    return float(np.mean([np.abs(a - b).mean() for a, b in zip(one, other, strict=True)]))


@pytest.fixture(scope="module")
def adapted():
    """(the network without an adapter's effect, logits; the same with a random adapter; the PeftModel)."""
    pytest.importorskip("peft", reason="peft is not installed: pip install -e '.[train]' to test the adapter")
    import torch

    from eval.phrasing.model import adapter_weights, base, with_adapter
    torch.manual_seed(0)
    model = with_adapter(base())
    plain = torch_logits(model)
    for name, weight in adapter_weights(model).items():
        if name.endswith("lora_B"):
            torch.nn.init.normal_(weight, std=0.1)
    return plain, torch_logits(model), model


def test_peft_and_llama_cpp_give_equal_logits(adapted, tmp_path):
    from eval.phrasing.adapter import write
    from eval.phrasing.model import ALPHA, adapter_weights
    plain, changed, model = adapted
    weights = {name: weight.detach().numpy() for name, weight in adapter_weights(model).items()}
    size = write(weights, tmp_path / "right.gguf", alpha=ALPHA, heads=9, key_heads=3)
    write(weights, tmp_path / "wrong.gguf", alpha=ALPHA, heads=288, key_heads=96)  # heads of two rows stay as they are
    assert size < 10e6
    arithmetic = distance(plain, llama_logits())
    effect = distance(plain, changed)
    error = distance(changed, llama_logits(lora_path=str(tmp_path / "right.gguf")))
    wrong = distance(changed, llama_logits(lora_path=str(tmp_path / "wrong.gguf")))
    print(f"arithmetic {arithmetic:.3f} effect {effect:.3f} error {error:.3f} rows not put back {wrong:.3f}")
    assert effect > 5 * arithmetic
    assert error < 1.5 * arithmetic
    assert wrong > 2 * error


def test_no_other_tensor_becomes_part_of_an_adapter(tmp_path):
    from eval.phrasing.adapter import write
    pytest.importorskip("gguf")
    with pytest.raises(ValueError, match="lm_head"):
        write({"lm_head.lora_A": np.zeros((2, 2))}, tmp_path / "a.gguf", alpha=1.0, heads=1, key_heads=1)


def test_the_shared_beginning_gives_the_loss_and_the_gradient_of_whole_prompts(adapted):
    import torch

    from eval.phrasing.model import adapter_weights
    from eval.phrasing.training import Lesson, loss_of
    _, _, model = adapted
    start, batch = [1, 4093, 198, 520], [Lesson((30, 41, 52), (63, 74, 2)), Lesson((85, 96, 7, 8, 9), (11, 2))]
    weights = list(adapter_weights(model).values())
    shared, count = loss_of(model, start, batch)
    gradients = torch.autograd.grad(shared, weights)
    assert count == 5
    whole = 0.0
    for lesson in batch:
        ids = torch.tensor([[*start, *lesson.asked, *lesson.reply]])
        logits = model(ids).logits[0, len(start) + len(lesson.asked) - 1:-1]
        whole = whole + torch.nn.functional.cross_entropy(logits, torch.tensor(lesson.reply), reduction="sum")
    assert shared.item() == pytest.approx(whole.item(), rel=1e-4)
    for one, other in zip(gradients, torch.autograd.grad(whole, weights), strict=True):
        assert torch.linalg.norm(one - other) <= 1e-3 * torch.linalg.norm(other)


def test_training_goes_on_where_it_stopped_and_brings_the_loss_down(tmp_path):
    pytest.importorskip("peft", reason="peft is not installed: pip install -e '.[train]' to test the training")
    import torch

    from eval.phrasing.training import Lesson, Recipe, Trainer, batch_at, train
    start = [1, 40, 19]
    lessons = [Lesson((40 + n, 50 + n, 60 + n), (40 + n, 2)) for n in range(4)]
    recipe = Recipe(steps=40, batch=2, warmup=1, rate=2e-2, average=0.5)
    whole = Trainer(recipe, tmp_path / "whole", small_network())
    before = whole.held_loss(start, lessons)
    train(whole, start, lessons)
    assert whole.step == 40
    assert whole.held_loss(start, lessons) < before - 0.5
    first = Trainer(recipe, tmp_path / "cut", small_network())
    for step in range(3):
        first.learn(start, batch_at(lessons, recipe, step), 1.0)
    first.keep()
    second = Trainer(recipe, tmp_path / "cut", small_network())
    assert second.step == 3
    train(second, start, lessons)
    for one, other in zip(whole.mean, second.mean, strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    with pytest.raises(ValueError, match="batch 2, not 4"):
        Trainer(Recipe(steps=8, batch=4), tmp_path / "cut", small_network())


def small_network():
    """A Llama of the same build, small enough to train in a second."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM
    torch.manual_seed(1)
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=128, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, attn_implementation="eager")).requires_grad_(False)


def test_a_pass_shows_each_example_once_in_an_order_of_its_own():
    from eval.phrasing.training import Lesson, Recipe, batch_at
    lessons = [Lesson((n,) * (n % 9 + 1), (2,)) for n in range(203)]
    recipe = Recipe(batch=4, seed=3)
    passes = [[batch_at(lessons, recipe, step) for step in range(50 * turn, 50 * turn + 50)] for turn in range(2)]
    for batches in passes:
        assert len({lesson.asked for batch in batches for lesson in batch}) == 200
        assert np.mean([max(map(len, batch)) - min(map(len, batch)) for batch in batches]) < 3  # of like length
    assert passes[0] != passes[1]
    assert passes[0][7] == batch_at(lessons, recipe, 7)
    with pytest.raises(ValueError, match="203 examples are fewer than a batch of 204"):
        batch_at(lessons, Recipe(batch=204), 0)


def test_prompts_have_the_tokens_that_llama_cpp_reads():
    from assistant.backends.llama import LlamaGenerator
    from eval.phrasing.chat import Chat, common_start, messages
    from eval.phrasing.model import embedded_file
    generator, chat = LlamaGenerator(embedded_file()), Chat()
    asked = messages("When does the ferry leave?", ["The ferry leaves at 08:15.", "Naïve <|im_end|> text"])
    list(generator.stream(asked, temperature=0.0, max_tokens=1))
    ids = chat.ids(asked)
    assert generator._model.input_ids[:len(ids)].tolist() == ids
    assert generator._model.n_tokens in (len(ids), len(ids) + 1)
    assert chat.reply("It leaves [1].")[-1] == generator._model.token_eos()
    start = common_start(chat.text(asked), chat.text(messages("Who?", ["A b."])))
    assert len(chat.ids_of(start)) > 200  # instructions and examples
    assert chat.ids_of(start) + chat.ids_of(chat.text(asked)[len(start):]) == ids


@pytest.mark.parametrize(("sentence", "shortest"), [
    ("However, the pool, which is shared, holds 20 connections.", "The pool holds 20 connections."),
    ("The ferry leaves at 08:15, because the tide turns at nine.", "The ferry leaves at 08:15."),
    ("The cache is small; the disk is large.", "The disk is large."),
    ("The key is valid unless it was revoked.", "The key is valid unless it was revoked."),
    ("You may go, but only with a permit.", "You may go, but only with a permit."),
    ("Prices (in euros) are net of tax, and fees are added later.", "Prices are net of tax."),
])
def test_only_what_the_meaning_can_spare_is_left_out(sentence, shortest):
    from eval.phrasing.shorten import shortenings
    found = shortenings(sentence)
    assert found[-1] == shortest
    assert len(set(found)) == len(found)


DOCUMENT = {"title": "The mill", "unanswered": ["Who sold the mill?", "When did the mill burn down?"], "passages": [
    {"heading": "The wheel", "kind": "prose",
     "lines": ["The wheel is 6 metres wide and has 40 buckets.", "It is turned by the stream, which never freezes.",
               "Oak was chosen for the axle because it lasts 90 years under water.", "The sluice is opened at dawn."],
     "items": [{"at": [0], "asks": ["How wide is the wheel?", "size of the big turning thing", "wheel width"],
                "answer": "The wheel is 6 metres wide and has 40 buckets."},
               {"at": [2], "asks": ["Why is the axle of oak?", "reason for that wood", "oak axle"],
                "answer": "Oak lasts 90 years under water."}]},
    {"heading": "Prices", "kind": "table",
     "lines": ["| Flour | Price |", "| --- | --- |", "| Rye | 3 euros |", "| Wheat | 4 euros |"],
     "items": [{"at": [3], "asks": ["What does wheat cost?", "price of the pale one", "wheat price"],
                "answer": "Wheat costs 4 euros."}]},
    {"heading": "Opening", "kind": "prose",
     "lines": ["The mill opens at ten on Sundays.", "Groups of more than 12 people must write beforehand.",
               "Dogs stay outside."],
     "items": [{"at": [0], "asks": ["When does the mill open on Sundays?", "first hour at the weekend", "mill Sunday"],
                "answer": "On Sundays the mill opens at ten."}]}]}


def from_document(seed: int = 0):
    import random

    from eval.phrasing.sources import from_written
    from eval.reranker.written import Passage, Written
    passages = tuple(Passage("The mill", p["heading"], p["kind"], tuple(p["lines"]),
                             tuple((tuple(i["at"]), tuple(i["asks"]), i["answer"]) for i in p["items"]))
                     for p in DOCUMENT["passages"])
    return list(from_written(random.Random(seed), Written("The mill", passages, tuple(DOCUMENT["unanswered"]))))


def test_every_target_passes_the_assistants_own_check():
    import re

    from assistant.answer.prompt import DECLINE
    from assistant.answer.verify import check, declines, holds
    from assistant.records import Evidence
    from assistant.text.segment import split_sentences
    made = [e for seed in range(10) for e in from_document(seed)]
    assert {"one", "two", "declined"} <= {e.kind for e in made}
    for example in made:
        evidence = [Evidence(n, "", "", place, ((0, 1),), text, None)
                    for n, (text, place) in enumerate(zip(example.readings, example.places, strict=True), 1)]
        assert 2 <= len(evidence) <= 6 and len(set(example.readings)) == len(evidence)
        if example.kind == "declined":
            assert example.reply == DECLINE and declines(example.reply)
            continue
        for a, b in split_sentences(example.reply):
            sentence = example.reply[a:b]
            marker = int(re.search(r"\[(\d+)\]\.$", sentence)[1])
            checked = check(sentence, example.question, evidence)
            assert checked.supported and checked.markers == (marker,), (sentence, checked.why)
            assert holds(checked.text, evidence[marker - 1])


def test_a_question_whose_answer_was_taken_out_is_declined():
    declined = [e for seed in range(30) for e in from_document(seed) if e.kind == "declined"]
    taken_out = [e for e in declined if e.question == "How wide is the wheel?"]
    assert taken_out
    assert not any("6 metres" in text for e in taken_out for text in e.readings)
    assert {e.question for e in declined} >= set(DOCUMENT["unanswered"])


def test_examples_are_the_same_for_the_same_seed():
    assert from_document(4) == from_document(4)
    assert from_document(4) != from_document(5)


def test_no_question_of_the_gold_sets_is_trained_on():
    from eval.phrasing.sources import GOLD, gold_questions
    from eval.reranker.sources import question_key
    known = gold_questions(GOLD)
    assert question_key("what is meant by semantic similarity?") in known        # dev.jsonl
    assert question_key("And with the large one?") in known                      # a turn of a conversation
    assert question_key("How wide is the wheel?") not in known


def test_a_draft_is_measured_by_the_assistants_check():
    from assistant.backends.llama import LlamaGenerator
    from eval.phrasing.examples import Example
    from eval.phrasing.measure import area, drafted, summary
    from eval.phrasing.model import embedded_file
    assert area([0.9, 0.5], [0.1, 0.5]) == pytest.approx((1 + 1 + 1 + 0.5) / 4)
    example = Example("What does the ferry cost?", ("The ferry costs 12 euros.", "The museum opens at ten."),
                      ("Ferry", "Museum"), "The ferry costs 12 euros [1].", "one", "test", "Ferry")
    found = drafted(LlamaGenerator(embedded_file()), example)
    assert found.draft and found.seconds > 0 and 0 <= found.decline <= 1
    assert found.passed <= found.sentences
    figures = summary([example, example], [found, found])
    assert figures["n"] == 2 and figures["right"] in (0.0, 1.0)
