/* Manners of the Eval tab: a report's frame is as light or dark as the page, and can be kept; drafts are reviewed. */
(() => {
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  /* The frame has an origin of its own, so it is told by a message, now and whenever the page changes. */
  function tell(frame) {
    frame.contentWindow?.postMessage({ theme: document.body.classList.contains("dark") ? "dark" : "light" }, "*");
  }
  function evals(element, trigger, watch) {
    const dress = () => $$("iframe.gb-evalframe", element).forEach((frame) => {
      frame.addEventListener("load", () => tell(frame), { once: true });
      tell(frame);
    });
    const show = () => {  // on a phone the report stands below what was pressed
      if (element.closest("#gb-evalreport") && $$("iframe", element).length && matchMedia("(max-width: 800px)").matches) {
        document.querySelector("#gb-evalright").scrollIntoView();
      }
    };
    watch("value", () => { dress(); count(); show(); });
    dress();
    if (element.closest("#gb-evaldrafts")) save = (accepted) => trigger("submit", { accepted });
  }
  const ready = (run) => (document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", run) : run());
  ready(() => new MutationObserver(() => $$("iframe.gb-evalframe").forEach(tell))
    .observe(document.body, { attributes: true, attributeFilter: ["class"] }));

  function keep(name, text, type) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name.replace(/[\\/:*?"<>|\u0000-\u001f]+/g, "_").slice(0, 120);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 5000);
  }

  let save = () => {};
  const drafts = () => $$("#gb-evaldrafts .gb-draft");
  function accepted() {
    return Object.fromEntries(drafts().filter((card) => card.dataset.state === "yes").map((card) => [card.dataset.draft, {
      question: card.querySelector("[name=question]").value, facts: card.querySelector("[name=facts]").value,
    }]));
  }
  function count() {
    const line = document.querySelector("#gb-draftcount"), states = drafts().map((card) => card.dataset.state);
    if (!line || !states.some(Boolean)) return;
    const yes = states.filter((state) => state === "yes").length, no = states.filter((state) => state === "no").length;
    line.textContent = `${yes} accepted, ${no} rejected, ${states.length - yes - no} to go.`;
  }
  function judge(button) {
    const card = button.closest(".gb-draft");
    card.dataset.state = card.dataset.state === button.dataset.judge ? "" : button.dataset.judge;
    $$("[data-judge]", card).forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.judge === card.dataset.state)));
    count();
  }

  document.addEventListener("click", (click) => {
    const button = click.target.closest("button");
    if (!button) return;
    if (button.dataset.judge) judge(button);
    else if (button.dataset.savedrafts !== undefined) save(accepted());
    else if (button.dataset.keepset) keep(button.dataset.keepset, button.nextElementSibling.value, "application/jsonl");
    else if (button.dataset.keep) {
      keep(button.dataset.keep, button.closest(".gb-evalbar").nextElementSibling.getAttribute("srcdoc"), "text/html");
    }
  });

  Object.assign(window.glassbox, { evals });
})();
