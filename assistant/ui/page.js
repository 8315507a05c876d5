/* Manners of the page: what a click on the page's own HTML means. Python makes the HTML, this passes events on. */
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  /* One listener a component: [data-event] becomes that event in Python, with the element's data. */
  function wire(element, trigger, server) {
    element.addEventListener("click", async (click) => {
      const button = click.target.closest("button[data-event], button[data-act]");
      if (!button) return;
      const { event, act, confirm, ...data } = button.dataset;
      if (confirm && !button.classList.contains("gb-sure")) return sure(button, confirm);
      if (act === "rename") return rename(button, trigger);
      if (act === "export-trace") return download(data.name, await server.export_trace([data.id, data.kind]));
      if (act === "export") return download(`${data.title}.md`, await server.export_markdown(data.id));
      if (!event) return;
      trigger(event, { act, ...data });
      if (event === "select" && element.closest("#gb-traces")) toTop();
      if (act === "ask") panel("");
      if (event === "edit" || (act !== "up" && act !== "down" && event === "submit" && matchMedia("(min-width: 801px)").matches)) $("#gb-question textarea")?.focus();
      if (element.closest("#gb-left")) panel("");
      if (button.classList.contains("gb-inspect")) panel("right");
    });
  }

  /* A trace that is opened is read from its beginning, wherever the list or the one before was left. */
  function toTop() {
    $("#gb-trace").scrollTop = 0;
    if (matchMedia("(max-width: 800px)").matches) scrollTo(0, 0);
  }

  /* The pictures of a trace: what the pointer is on is named under the picture, at once and for a finger too. */
  function nameIt(pointed) {
    const thing = pointed.target.closest?.(".gb-flowline, .gb-map circle, .gb-map .gb-query"), box = thing?.closest(".gb-picture");
    if (!box) return;
    $$(".gb-on", box).forEach((other) => other.classList.remove("gb-on"));
    thing.classList.add("gb-on");
    $(".gb-caption", box).textContent = $("title", thing).textContent;
  }
  ["pointerover", "click"].forEach((kind) => document.addEventListener(kind, nameIt));

  /* A second click within three seconds confirms. */
  function sure(button, words) {
    const before = button.innerHTML;
    button.classList.add("gb-sure");
    button.textContent = words;
    setTimeout(() => { button.classList.remove("gb-sure"); if (button.textContent === words) button.innerHTML = before; }, 3000);
  }

  function rename(button, trigger) {
    const row = button.closest("li"), open = $(".gb-open", row);
    const input = Object.assign(document.createElement("input"), { value: button.dataset.title, className: "gb-rename" });
    input.setAttribute("aria-label", "New title");
    open.hidden = true;
    row.prepend(input);
    input.select();
    let over = false;
    const end = (keep) => {
      if (over) return;
      over = true;
      input.remove();
      open.hidden = false;
      if (keep && input.value.trim() !== button.dataset.title) trigger("edit", { id: button.dataset.id, title: input.value });
    };
    input.addEventListener("keydown", (key) => {
      if (key.key === "Enter") end(true);
      if (key.key === "Escape") { key.stopPropagation(); end(false); open.focus(); }
    });
    input.addEventListener("blur", () => end(true));
  }

  function download(name, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/markdown" }));
    link.download = name.replace(/[\\/:*?"<>|\u0000-\u001f]+/g, "_").slice(0, 120);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 5000);
  }

  async function copy(button, text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // no permission, or not a secure origin
      const area = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const before = button.innerHTML;
    button.textContent = "Copied";
    setTimeout(() => { button.innerHTML = before; }, 1400);
  }

  /* A chip leads to its passage: bring the answer into view, open the evidence, scroll, flash. */
  async function cite(chip) {
    if (chip.closest("#gb-traces")) return flash($(`#gb-trace [data-passage="${chip.dataset.marker}"]`), []);
    const answer = chip.closest("[data-trace]"), head = () => $(".gb-viewhead");
    if (answer && answer.dataset.trace && head()?.dataset.trace !== answer.dataset.trace) {
      $(".gb-inspect", answer)?.click();
      for (let n = 0; n < 50 && head()?.dataset.trace !== answer.dataset.trace; n++) await wait(60);
      await wait(60);
    }
    panel("right");
    $("#gb-tab-evidence-button")?.click();
    for (let n = 0; n < 20 && !$(`#ev-${chip.dataset.marker}`)?.offsetParent; n++) await wait(50);
    const passage = $(`#ev-${chip.dataset.marker}`);
    flash(passage, $$(`#gb-evidence mark[data-marker="${chip.dataset.marker}"]`));
  }
  function flash(passage, others) {
    if (!passage) return;
    passage.scrollIntoView({ block: "center", behavior: calm() ? "auto" : "smooth" });
    others.concat(passage).forEach((mark) => {
      mark.classList.remove("gb-flash");
      void mark.offsetWidth;
      mark.classList.add("gb-flash");
    });
  }
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));

  /* Narrow screens: one of the side panels over the conversation, or none. */
  function panel(name) {
    document.body.dataset.panel = name;
    $$("#gb-switches [data-panel]").forEach((b) => b.setAttribute("aria-expanded", String(b.dataset.panel === name)));
  }

  /* Light or dark: the reader's choice if there is one, else the system's. Gradio reads the class on the body. */
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => { try { return localStorage.getItem("glassbox-theme"); } catch { return null; } };
  const dark = () => (chosen() || (system.matches ? "dark" : "light")) === "dark";
  function theme() {
    if (document.body && document.body.classList.contains("dark") !== dark()) document.body.classList.toggle("dark", dark());
    document.documentElement.style.colorScheme = dark() ? "dark" : "light";
  }
  function switchTheme() {
    try { localStorage.setItem("glassbox-theme", dark() ? "light" : "dark"); } catch { /* private mode: until reload */ }
    theme();
  }

  /* The address names the conversation or the answer on screen, so that a reload and a link bring it back. */
  function address(element, watch) {
    const show = () => {
      const { c, trace } = $("[data-c]", element)?.dataset ?? {};
      const query = new URLSearchParams(location.search);
      const before = query.toString();
      query.delete("c"); query.delete("trace");
      if (trace) query.set("trace", trace); else if (c) query.set("c", c);
      if (query.toString() !== before) history.replaceState(null, "", location.pathname + (query.size ? `?${query}` : ""));
    };
    watch("value", show);
  }

  /* Keep the end of the conversation in sight while it grows, unless the reader has scrolled up. */
  let last = "", near = true, top = 0;
  function follow() {
    const box = $("#gb-scroll"), thread = $("#gb-turns .gb-thread");
    if (!box) return;
    const key = thread ? thread.dataset.conversation : "";
    const asked = new URLSearchParams(location.search).get("trace");
    if (key !== last) {
      last = key; near = true;
      const target = asked && $(`#gb-turns [data-trace="${CSS.escape(asked)}"]`);
      if (target) { near = false; target.scrollIntoView({ block: "center" }); return; }
    }
    if ($("#gb-live .gb-live") && $$("#gb-turns .gb-question").length !== follow.count) near = true;
    follow.count = $$("#gb-turns .gb-question").length;
    if (near) box.scrollTop = box.scrollHeight;
  }

  document.addEventListener("click", (click) => {
    if (click.target.closest("[data-skip]")) {
      click.preventDefault();
      $("#gb-panel-chat-button")?.click();
      return void setTimeout(() => $("#gb-question textarea")?.focus(), 60);
    }
    const button = click.target.closest("button");
    if (!button) return;
    const { act, copy: text, link, panel: name } = button.dataset;
    if (act === "cite") cite(button);
    else if (text !== undefined) copy(button, text);
    else if (link !== undefined) copy(button, `${location.origin}${location.pathname}?trace=${encodeURIComponent(link)}`);
    else if (name !== undefined) panel(document.body.dataset.panel === name ? "" : name);
    else if (button.dataset.theme !== undefined) switchTheme();
  });

  document.addEventListener("keydown", (key) => {
    if (key.key !== "Escape") return;
    const stop = $("#gb-stop"), button = stop?.matches("button") ? stop : stop && $("button", stop);
    if (button && button.offsetParent && !button.disabled) button.click();
    else if (document.body.dataset.panel) panel("");
    else $("#gb-hint button")?.click();
  });

  theme();
  system.addEventListener("change", theme);
  const ready = (run) => (document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", run) : run());
  ready(() => {  // Gradio puts this script into the page after it was loaded
    theme();
    new MutationObserver(theme).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    document.documentElement.lang ||= "en";
    const mark = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='#0f6a6a' stroke-width='2'>" +
      "<rect x='3' y='3' width='12' height='12' rx='2'/><rect x='9' y='9' width='12' height='12' rx='2'/></svg>";
    $$("link[rel~='icon']").forEach((link) => link.remove());
    document.head.append(Object.assign(document.createElement("link"),
      { rel: "icon", type: "image/svg+xml", href: `data:image/svg+xml,${encodeURIComponent(mark)}` }));
    const seen = new MutationObserver(follow);
    const begin = setInterval(() => {
      const box = $("#gb-scroll");
      if (!box) return;
      clearInterval(begin);
      box.addEventListener("scroll", () => {  // only the reader scrolls up; growth must not look like it
        if (box.scrollHeight - box.scrollTop - box.clientHeight < 80) near = true;
        else if (box.scrollTop < top - 4) near = false;
        top = box.scrollTop;
      }, { passive: true });
      seen.observe(box, { childList: true, subtree: true, characterData: true });
      follow();
    }, 80);
  });

  window.glassbox = { wire, address };
})();
