"""The Traces tab in a real Chromium: ask, open the trace, replay without rerank, compare, export, import elsewhere."""
from __future__ import annotations

import json

import pytest

from assistant import Assistant, Config
from assistant.trace import from_json
from tests.test_browser import QUESTION, address, ask, chrome, rag, window  # noqa: F401 (fixtures)


def open_tab(page) -> None:
    page.click("#gb-panel-traces-button")
    page.wait_for_selector("#gb-tracerows .gb-open, #gb-tracerows .gb-empty")


@pytest.fixture()
def opened(window):  # noqa: F811
    """A window with the trace of a fresh answer open under Traces."""
    ask(window, QUESTION)
    open_tab(window)
    window.locator("#gb-tracerows .gb-open").first.click()
    window.wait_for_selector("#gb-tracehead [data-opened]")
    return window


def shown(page) -> str:
    return page.get_attribute("#gb-tracehead [data-opened]", "data-opened")


def test_ask_open_replay_compare_export_and_import(opened, rag, tmp_path):  # noqa: F811
    before = rag.trace(shown(opened))
    assert before.question == QUESTION and QUESTION in opened.inner_text("#gb-tracehead h2")
    opened.click("#gb-trace-stages-button")
    assert opened.locator(".gb-flowpicture .gb-flowline").count() == sum(bool(hit.fused) for hit in before.hits)
    kept = sum(hit.kept and bool(hit.fused) for hit in before.hits)
    assert opened.locator(".gb-flowpicture .gb-kept").count() == kept
    opened.click("#gb-trace-replay-button")
    opened.uncheck("#gb-replayswitches input[value='rerank'], #gb-replayswitches label:has-text('rerank') input")
    opened.click("#gb-replaygo")
    opened.wait_for_function("id => document.querySelector('#gb-tracehead [data-opened]').dataset.opened !== id",
                             arg=before.id, timeout=60_000)
    after = rag.trace(shown(opened))
    assert after.parent == before.id and after.config["rerank"] is False and after.config["k"] == before.config["k"]
    opened.wait_for_selector("#gb-comparison .gb-sides", state="visible")
    assert "rerank: on → off" in opened.inner_text("#gb-comparison")
    with opened.expect_download() as started:
        opened.click("#gb-tracehead [data-kind='json']")
    file = tmp_path / "trace.json"
    started.value.save_as(file)
    assert from_json(json.loads(file.read_text(encoding="utf-8"))) == after


def test_an_export_opens_in_a_fresh_app(chrome, opened, rag, tmp_path):  # noqa: F811
    import socket

    from assistant import exchange
    from assistant.ui.page import build, launch
    made = rag.trace(shown(opened))
    file = tmp_path / "trace.json"
    file.write_text(exchange.written(rag, [made], "json"), encoding="utf-8")
    fresh = Assistant(Config(index=str(tmp_path / "fresh")))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = build(fresh)
    page = chrome.new_page()
    try:
        page.goto(launch(app, "127.0.0.1", port, block=False))
        page.wait_for_selector("#gb-panel-traces-button")
        open_tab(page)
        with page.expect_file_chooser() as chooser:
            page.click("#gb-traceimport")
        chooser.value.set_files(file)
        page.wait_for_selector(f"[data-opened='{made.id}']")
        assert "1 imported" in page.inner_text("#gb-tracemessage")
        assert "another one than when this was asked" in page.inner_text("#gb-tracehead")
        assert fresh.trace(made.id) == made
    finally:
        page.close()
        app.close(verbose=False)


def test_filters_feedback_and_why_not(opened, rag):  # noqa: F811
    name = shown(opened)
    opened.fill("#gb-tracenote textarea, #gb-tracenote input", "the year is wrong")
    opened.click("#gb-tracehead [data-act='down']")
    opened.wait_for_selector("#gb-tracehead [data-act='down'][aria-pressed='true']")
    judged = rag.feedback.get(name)
    assert (judged.thumb, judged.note) == ("down", "the year is wrong")
    opened.check("#gb-tracefilters label:has-text('thumbs down') input")
    opened.wait_for_function("() => document.querySelectorAll('#gb-tracerows .gb-open').length === 1")
    opened.click("#gb-trace-why-button")
    opened.click("#gb-whyask")
    opened.wait_for_selector("#gb-why .gb-bad")
    assert "Choose a chunk" in opened.inner_text("#gb-why")
    opened.fill("#gb-whypassage textarea", "Boil the egg for six minutes and cool it in iced water at once.")
    opened.click("#gb-whyask")
    opened.wait_for_selector("#gb-why .gb-verdict", timeout=60_000)
    assert "No chunk of the index holds this passage" in opened.inner_text("#gb-why")
    opened.click("#gb-trace-map-button")
    opened.click("#gb-mapdraw")
    opened.wait_for_selector("#gb-map svg", timeout=60_000)
    assert "of the true neighbours" in opened.inner_text("#gb-map")
    assert opened.locator("#gb-map circle").count() == len(rag.chunks())


def test_a_thumb_in_the_chat_is_kept_with_the_trace_and_taken_back(window, rag):  # noqa: F811
    answer = ask(window, QUESTION)
    trace = answer.get_attribute("data-trace")
    good = window.locator("#gb-turns .gb-answer").last.get_by_label("Good answer")
    bad = window.locator("#gb-turns .gb-answer").last.get_by_label("Bad answer")
    good.click()
    window.wait_for_selector("#gb-turns .gb-thumb[data-act='up'][aria-pressed='true']")
    assert rag.feedback.get(trace).thumb == "up"
    bad.click()
    window.wait_for_selector("#gb-turns .gb-thumb[data-act='down'][aria-pressed='true']")
    assert window.locator("#gb-turns .gb-thumb[aria-pressed='true']").count() == 1
    assert rag.feedback.get(trace).thumb == "down"
    bad.click()
    window.wait_for_selector("#gb-turns .gb-thumb[data-act='down'][aria-pressed='false']")
    assert rag.feedback.get(trace) is None


def test_a_replay_with_another_model_says_so(opened, rag):  # noqa: F811
    assert rag.trace(shown(opened)).prompt != ()
    opened.click("#gb-trace-replay-button")
    field = opened.locator("#gb-replayllm input")
    field.fill("off")
    field.press("Enter")
    opened.click("#gb-replaygo")
    opened.wait_for_selector("#gb-comparison .gb-sides", state="visible", timeout=60_000)
    after = rag.trace(shown(opened))
    assert after.parent and after.config["llm"] == "off" and after.prompt == ()


def test_the_flow_and_the_map_name_what_the_pointer_is_on(opened, rag):  # noqa: F811
    made = rag.trace(shown(opened))
    opened.click("#gb-trace-stages-button")
    kept = next(hit for hit in made.hits if hit.kept)
    opened.locator(f".gb-flowline[data-chunk='{kept.chunk.id}'] circle").first.hover()
    opened.wait_for_function("() => document.querySelector('#gb-trace .gb-flowline.gb-on')")
    caption = opened.locator("#gb-trace-stages .gb-caption, [id*='gb-trace-stages'] .gb-caption")
    assert caption.bounding_box()["y"] + caption.bounding_box()["height"] <= 900  # in sight, however high the picture
    said = caption.inner_text()
    assert kept.chunk.heading.split(" > ")[-1] in said and f"reranked {kept.rerank.rank}" in said


def test_a_phone_shows_the_list_or_one_trace_and_the_way_back(opened):
    opened.set_viewport_size({"width": 390, "height": 844})
    assert not opened.is_visible("#gb-tracerows") and opened.is_visible("#gb-tracehead h2")
    opened.click("#gb-trace .gb-back")
    opened.wait_for_selector("#gb-tracerows .gb-open", state="visible")
    assert opened.locator("#gb-tracehead [data-opened]").count() == 0
    opened.locator("#gb-tracerows .gb-open").last.click()
    opened.wait_for_selector("#gb-tracehead [data-opened]", state="visible")
    assert not opened.is_visible("#gb-tracerows") and opened.evaluate("scrollY") == 0
    assert opened.evaluate("document.documentElement.scrollWidth") == 390


def test_a_judged_answer_is_exported_as_a_draft_for_the_gold_set(opened, rag, tmp_path):  # noqa: F811
    assert opened.locator("#gb-tracehead [data-kind='gold']").count() == 0  # nobody has judged it yet
    opened.click("#gb-tracehead [data-act='up']")
    opened.wait_for_selector("#gb-tracehead [data-kind='gold']")
    with opened.expect_download() as started:
        opened.click("#gb-tracehead [data-kind='gold']")
    file = tmp_path / "draft.jsonl"
    started.value.save_as(file)
    row = json.loads(file.read_text(encoding="utf-8"))
    assert (row["question"], row["thumb"], row["answerable"]) == (QUESTION, "up", True) and row["evidence"]
