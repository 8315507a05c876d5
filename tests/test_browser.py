"""The page in a real Chromium, over the real models and a temporary index of the corpus.

Skipped with a line where no Chromium is found; where CI is set that is a failure. One server for the module.
"""
from __future__ import annotations

import os
import re
import shutil
import socket
from pathlib import Path
from urllib.parse import urlparse

import pytest

from assistant import Assistant, Config

CORPUS = Path(__file__).parents[1] / "corpus"
CHAPTERS = ("01-", "02-", "04-", "07-", "09-")  # enough for every question asked here, and half the time to index
QUESTION = "What is the difference between HNSW and IVF?"
OUTSIDE = "Who won the football World Cup in 2022?"
ANSWER_MS = 60_000  # the longest that an answer may take here; a warm one takes about two seconds
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
DONE = "#gb-turns .gb-answer, #gb-turns .gb-notice"


def chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("no Chromium is on the PATH, and in CI the browser tests must run: apt-get install chromium")
    return found or pytest.skip("no Chromium is on the PATH: install one to run the browser tests")


@pytest.fixture(scope="module")
def chrome():
    path = chromium()
    from playwright.sync_api import sync_playwright
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def rag(chrome, tmp_path_factory):
    made = Assistant(Config(index=str(tmp_path_factory.mktemp("index"))))
    made.ingest([path for path in sorted(CORPUS.glob("*.md")) if path.name.startswith(CHAPTERS)])
    made.warm()
    return made


@pytest.fixture(scope="module")
def address(rag):
    from app import build
    from assistant.ui.page import launch
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    page = build(rag)
    yield launch(page, "127.0.0.1", port, block=False)
    page.close(verbose=False)


@pytest.fixture()
def window(chrome, address):
    """A fresh window on the first screen. Afterwards: no error in its console, no request to another machine."""
    context = chrome.new_context(viewport={"width": 1440, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    outside, errors = [], []
    page.on("request", lambda r: outside.append(r.url) if urlparse(r.url).hostname not in ("127.0.0.1", None) else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(20_000)
    page.goto(address)
    page.wait_for_selector(".gb-example")
    yield page
    context.close()
    assert outside == []
    assert errors == []


def ask(page, question: str):
    """Type and send; the answer (or notice) to it, complete."""
    before = page.locator(DONE).count()
    page.fill("#gb-question textarea", question)
    page.keyboard.press("Enter")
    page.wait_for_function("n => document.querySelectorAll('#gb-turns .gb-answer, #gb-turns .gb-notice').length > n",
                           arg=before, timeout=ANSWER_MS)
    page.wait_for_selector("#gb-live .gb-live", state="detached")
    return page.locator(DONE).last


def trace_id(page) -> str:
    return page.get_attribute(".gb-viewhead", "data-trace")


def test_the_first_screen_says_what_it_is_and_offers_questions(window):
    assert "answers from your documents" in window.inner_text(".gb-first")
    assert window.locator(".gb-example").count() == 6
    assert f"{len(CHAPTERS)} documents" in window.inner_text("#gb-status")


def test_evidence_comes_before_a_cited_answer_and_a_chip_leads_to_its_passage(window, rag):
    window.click(f".gb-example:has-text('{QUESTION}')")
    window.wait_for_selector("#gb-evidence mark", timeout=ANSWER_MS)
    window.wait_for_selector("#gb-turns .gb-answer", timeout=ANSWER_MS)
    assert "HNSW" in window.inner_text("#gb-turns .gb-body")
    trace = rag.trace(trace_id(window))
    window.click("#gb-tab-timings-button")
    chip = window.locator("#gb-turns .gb-body .gb-chip").first
    marker = chip.inner_text()
    chip.click()
    window.wait_for_selector(f"#ev-{marker}.gb-flash")
    start, end = trace.evidence[int(marker) - 1].spans[0]
    marks = window.locator(f"#gb-evidence mark[data-marker='{marker}']:not(.helps)").all()
    assert int(marks[0].get_attribute("data-start")) - start in (0, 2)  # the "**" before a bold word is not shown
    assert end - int(marks[-1].get_attribute("data-end")) in (0, 2)
    box = window.locator(f"#ev-{marker}").bounding_box()
    assert 0 <= box["y"] < 900


def test_chunks_show_every_stage_and_the_way_through_reranking(window, rag):
    ask(window, QUESTION)
    trace = rag.trace(trace_id(window))
    window.click("#gb-tab-chunks-button")
    cards = window.locator("#gb-chunks .gb-kept")
    assert cards.count() == sum(hit.kept for hit in trace.hits)
    first = cards.first
    assert "→" in first.inner_text()
    labels = [bar.get_attribute("aria-label") for bar in first.locator("[role=meter]").all()]
    assert any(label.startswith("rerank") for label in labels) and any(label.startswith("dense") for label in labels)
    window.click("#gb-tab-prompt-button")
    assert trace.prompt[-1]["content"] in window.locator("#gb-prompt .gb-message").all_inner_texts()


def test_what_the_documents_do_not_say_is_declined(window):
    answer = ask(window, OUTSIDE)
    assert "gb-declined" in answer.get_attribute("class")
    assert answer.locator(".gb-closest li").count() >= 1
    assert window.locator("#gb-turns .gb-body .gb-chip").count() == 0


def test_a_reload_keeps_the_conversation_and_a_new_window_lists_it(window, address):
    question = "Why is cosine similarity used for text?"
    ask(window, question)
    before = window.inner_text("#gb-turns .gb-body")
    window.reload()
    window.wait_for_selector("#gb-turns .gb-answer")
    assert window.inner_text("#gb-turns .gb-body") == before
    assert "c=" in window.url
    window.goto(address)
    window.wait_for_selector(".gb-example")
    window.click(f".gb-open:has-text('{question}')")
    window.wait_for_selector("#gb-turns .gb-answer")
    assert window.inner_text("#gb-turns .gb-question p") == question


def test_a_trace_has_an_address(window, address, rag):
    ask(window, QUESTION)
    first = trace_id(window)
    ask(window, "What is a vector database?")
    window.goto(f"{address}?trace={first}")
    window.wait_for_selector(f".gb-viewhead[data-trace='{first}']")
    assert window.locator(f"#gb-turns [data-trace='{first}'].gb-inview").count() == 1
    alone = rag.answer("What is negation to an embedding?").trace_id
    window.goto(f"{address}?trace={alone}")
    window.wait_for_selector(f".gb-viewhead[data-trace='{alone}']")
    assert "opened by its address" in window.inner_text("#gb-turns")
    window.goto(f"{address}?trace=nonsense")
    window.wait_for_selector(".gb-hint")
    assert "nonsense" in window.inner_text(".gb-hint")


def test_a_changed_setting_reaches_the_next_trace_and_a_wrong_one_is_explained(window, rag):
    window.click("#gb-tab-settings-button")
    window.fill("#gb-set-threshold input", "7")
    window.press("#gb-set-threshold input", "Tab")
    window.fill("#gb-question textarea", QUESTION)
    window.keyboard.press("Enter")
    window.wait_for_selector(".gb-hint")
    assert "expected 0.0 to 1.0" in window.inner_text(".gb-hint")
    assert window.input_value("#gb-question textarea") == QUESTION
    window.click("#gb-reset")
    window.uncheck("#gb-set-rerank input")
    window.wait_for_selector("#gb-settings-note:has-text('rerank = off')")
    ask(window, QUESTION)
    trace = rag.trace(trace_id(window))
    assert trace.config["rerank"] is False and trace.config["threshold"] is None
    assert trace.gate == "off" and all(hit.rerank is None for hit in trace.hits)


def test_an_older_answer_comes_back_into_view_and_follow_ups_say_what_was_searched(window, rag):
    ask(window, "What does HNSW stand for?")
    first = trace_id(window)
    ask(window, "And IVF?")
    second = trace_id(window)
    assert second != first
    window.click("#gb-tab-prompt-button")
    assert rag.trace(second).query in window.inner_text("#gb-prompt .gb-searched")
    window.click(f"#gb-turns [data-trace='{first}'] .gb-inspect")
    window.wait_for_selector(f".gb-viewhead[data-trace='{first}']")


def test_bad_questions_get_one_line_and_nothing_is_lost(window):
    window.focus("#gb-question textarea")
    window.keyboard.press("Enter")
    window.wait_for_selector(".gb-hint")
    assert "empty" in window.inner_text(".gb-hint")
    huge = "word " * 200_000
    notice = ask(window, huge)
    assert "gb-notice" in notice.get_attribute("class") and "\n" not in notice.locator("p").inner_text()
    window.click("#gb-turns .gb-question [data-event=edit]")
    window.wait_for_function("n => document.querySelector('#gb-question textarea').value.length === n", arg=len(huge))
    send_edited(window, "Ist <script>alert(1)</script> \u05e9\u05dc\u05d5\u05dd \U0001f600 ?")


def send_edited(page, question: str) -> None:
    """Send an edited question; the conversation then holds this question alone, as text."""
    page.fill("#gb-question textarea", question)
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#gb-turns .gb-question:has-text('{question[:3]}')")
    page.wait_for_selector(DONE, timeout=ANSWER_MS)
    page.wait_for_selector("#gb-live .gb-live", state="detached")
    assert page.locator("#gb-turns .gb-question").count() == 1
    assert page.inner_text("#gb-turns .gb-question p") == question
    assert page.locator("#gb-turns script").count() == 0


def test_conversations_are_renamed_searched_exported_and_deleted(window):
    ask(window, "What is product quantization?")
    row = window.locator(".gb-list li.gb-here")
    row.hover()
    row.locator("[data-act=rename]").click()
    window.fill(".gb-rename", "Squeezing <b>vectors</b>")
    window.keyboard.press("Enter")
    window.wait_for_selector(".gb-open:has-text('Squeezing <b>vectors</b>')")
    window.fill("#gb-search input", "squeezing")
    window.wait_for_function("document.querySelectorAll('.gb-list li').length === 1")
    row = window.locator(".gb-list li")
    row.hover()
    with window.expect_download() as download:
        row.locator("[data-act=export]").click()
    assert download.value.suggested_filename.endswith(".md")
    assert "## What is product quantization?" in Path(download.value.path()).read_text(encoding="utf-8")
    row.hover()
    row.locator("[data-event=delete]").click()
    row.locator("[data-event=delete]").click()
    window.wait_for_selector(".gb-example")


def test_copy_gives_the_answer_with_its_sources(window):
    ask(window, QUESTION)
    window.click("#gb-turns [data-copy]")
    window.wait_for_selector("#gb-turns button:has-text('Copied')")
    text = window.evaluate("navigator.clipboard.readText()")
    assert re.search(r"\[1\]", text) and "Sources\n[1] " in text
    window.click("#gb-turns [data-link]")
    window.wait_for_function("navigator.clipboard.readText().then(t => t.includes('?trace='))")


def test_documents_are_added_read_and_deleted(window, tmp_path):
    note = tmp_path / "zebra.md"
    note.write_text("# Zebras\n\nThe zebra Xanthippe was born on a Tuesday in the harbour of Trieste. "
                    "<script>x</script>\n",
                    encoding="utf-8")
    window.click("#gb-panel-corpus-button")
    with window.expect_file_chooser() as chooser:
        window.click("#gb-upload")
    chooser.value.set_files(str(note))
    window.wait_for_selector("#gb-corpusnote:has-text('1 added')", timeout=ANSWER_MS)
    window.click(".gb-docs .gb-open:has-text('Zebras')")
    window.wait_for_selector("#gb-chunklist:has-text('Xanthippe')")
    assert "tokens" in window.inner_text("#gb-chunklist .gb-move")
    assert window.locator("#gb-chunklist script").count() == 0
    row = window.locator(".gb-docs tr", has_text="Zebras")
    row.locator("[data-event=delete]").click()
    row.locator("[data-event=delete]").click()
    window.wait_for_selector("#gb-corpusnote:has-text('no longer')")
    assert window.locator(".gb-docs tr", has_text="Zebras").count() == 0


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_phone_shows_one_column_and_nothing_overflows(chrome, address, mode):
    context = chrome.new_context(viewport={"width": 390, "height": 844}, color_scheme=mode, has_touch=True)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(".gb-example", timeout=20_000)

    def width() -> int:
        return page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")

    assert page.evaluate("document.body.classList.contains('dark')") is (mode == "dark")
    assert width() <= 390
    ask(page, QUESTION)
    assert width() <= 390
    box = page.locator("#gb-question textarea").bounding_box()
    assert box["y"] + box["height"] <= 844
    page.locator("#gb-turns .gb-body .gb-chip").first.click()
    page.wait_for_selector("#gb-evidence mark.gb-flash", state="visible")
    for tab in ("evidence", "chunks", "timings", "prompt", "settings"):
        page.click(f"#gb-tab-{tab}-button")
        assert width() <= 390
    page.keyboard.press("Escape")
    page.wait_for_selector("#gb-right", state="hidden")
    page.click("#gb-switches [data-panel=left]")
    page.wait_for_selector("#gb-left", state="visible")
    page.keyboard.press("Escape")
    page.click("#gb-panel-corpus-button")
    page.wait_for_selector(".gb-docs", state="visible")
    assert width() <= 390
    context.close()


def test_the_keyboard_alone_is_enough(window):
    window.focus("#gb-question textarea")
    window.keyboard.type("What is")
    window.keyboard.press("Shift+Enter")
    window.keyboard.type("an embedding?")
    assert window.input_value("#gb-question textarea") == "What is\nan embedding?"
    window.keyboard.press("Enter")
    window.wait_for_selector("#gb-stop", state="visible")
    window.keyboard.press("Escape")
    window.wait_for_selector(DONE, timeout=ANSWER_MS)
    window.wait_for_selector("#gb-send", state="visible")
    window.reload()
    window.wait_for_selector(DONE)
    window.keyboard.press("Tab")
    assert window.evaluate("document.activeElement.textContent") == "Skip to the question"
    window.keyboard.press("Enter")
    window.wait_for_function("document.activeElement.matches('#gb-question textarea')")
    reached = []
    for _ in range(8):
        window.keyboard.press("Tab")
        reached.append(window.evaluate("document.activeElement.id"))
        assert window.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert {"gb-send", "gb-clear", "gb-tab-evidence-button"} <= set(reached)
