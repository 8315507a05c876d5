"""The page: a header, one tab a panel, and serving it on this machine.

A panel is a class or function of (assistant, warmth, page, tab) that lays itself out; adding one is one line in PANELS.
A panel of another package, such as the Eval tab, is handed in by who composes the page.
"""
from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence

# before gradio is imported: nothing is to leave this machine
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import gradio as gr

from assistant.config import Config, past_proxy
from assistant.errors import InputError
from assistant.pipeline import Assistant
from assistant.ui.chat import Chat
from assistant.ui.corpus import Corpus
from assistant.ui.fragment import fragment
from assistant.ui.icons import icon
from assistant.ui.lab import Lab
from assistant.ui.theme import SCRIPTS, STYLES, Glass
from assistant.ui.traces import Traces
from assistant.ui.warmth import Warmth

Panel = Callable[[Assistant, Warmth, gr.Blocks, gr.Tab], object]
PANELS: tuple[tuple[str, Panel], ...] = (
    ("Chat", Chat),
    ("Traces", Traces),
    ("Lab", Lab),
    ("Corpus", Corpus),
)
POLL_SECONDS = 1.5       # how often the header asks how far the models are
IDLE_POLL_SECONDS = 6   # and, once they are loaded, how much the index holds
CONCURRENCY = 4      # events of one kind at a time, unless the event says otherwise
MAX_UPLOAD = "50mb"  # a file; the loader's own limit
KEEP_UPLOADS = 3600  # seconds that Gradio keeps its copy of an uploaded file, unless its panel has removed it
LOGIN = "GLASSBOX_AUTH"
# Gradio sends the page's own styles only after the login, and without them its fields cannot be seen
LOGIN_LOOKS = "<style>.gradio-container :is(input, button) { border: 1px solid currentColor !important; }</style>"


def build(assistant: Assistant, warmth: Warmth | None = None, panels: Sequence[tuple[str, Panel]] = ()) -> gr.Blocks:
    """The page over an Assistant. Nothing is loaded yet: that is `warmth.start()`, or the first question.

    panels: (name, panel) of tabs behind the page's own
    """
    warmth = warmth or Warmth(assistant)
    with gr.Blocks(title="Glassbox", fill_width=True, fill_height=True, analytics_enabled=False,
                   delete_cache=(KEEP_UPLOADS, KEEP_UPLOADS)) as page:
        with gr.Row(elem_id="gb-header", equal_height=False):
            fragment('<a class="gb-skip" href="#gb-question" data-skip>Skip to the question</a>'
                     f'<h1 class="gb-brand">{icon("brand")}Glassbox</h1>', elem_id="gb-brand")
            pill = fragment(warmth.pill_html(), elem_id="gb-status")
            fragment(_switches(), elem_id="gb-switches")
        with gr.Tabs(elem_id="gb-tabs", overflow_behavior="wrap"):
            for name, panel in (*PANELS, *panels):
                with gr.Tab(name, elem_id=f"gb-panel-{name.lower()}", render_children=True) as tab:
                    panel(assistant, warmth, page, tab)
        timer = gr.Timer(POLL_SECONDS)

        def tick() -> tuple[str, gr.Timer]:
            return warmth.pill_html(), gr.Timer(POLL_SECONDS if warmth.state == "loading" else IDLE_POLL_SECONDS)

        timer.tick(tick, None, [pill, timer], show_progress="hidden", api_visibility="private", queue=False)
        page.load(warmth.pill_html, None, pill, show_progress="hidden", api_visibility="private", queue=False)
    page.queue(default_concurrency_limit=CONCURRENCY, api_open=False)
    return page


def launch(page: gr.Blocks, host: str, port: int, *, block: bool = True,
           auth: tuple[str, str] | None = None) -> str:
    """Start serving and return the address. With `block` it returns when the server was interrupted.

    auth: (user, password) that a visitor has to give first. Raises InputError where nothing can be served there.
    """
    check_port(host, port)
    past_proxy(os.environ, host)  # Gradio asks its own page whether it is there
    # in the head rather than by `css=`, which Gradio would rewrite rule by rule for its own container
    head = "".join([*(f"<style>{file.read_text(encoding='utf-8')}</style>" for file in STYLES),
                    *(f"<script>{file.read_text(encoding='utf-8')}</script>" for file in SCRIPTS)])
    try:
        with contextlib.redirect_stdout(sys.stderr):
            _, address, _ = page.launch(
                server_name=host, server_port=port, prevent_thread_lock=True, quiet=True, share=False,
                auth=auth, auth_message=LOGIN_LOOKS,
                theme=Glass(), head=head, footer_links=[], run_history=False,
                max_file_size=MAX_UPLOAD, enable_monitoring=False,
                ssr_mode=False, pwa=False, mcp_server=False, show_error=False)
    except Exception as error:  # the system's, httpx's, and plain ones of Gradio
        page.close(verbose=False)
        why = " ".join(str(error).split())
        raise InputError(f"cannot listen on {host} port {port} ({type(error).__name__}: {why}); expected a page that "
                         "this machine reaches there: check proxy variables such as HTTP_PROXY, or name another "
                         "address with --host or --port") from error
    if block:
        page.block_thread()
    return address


def serve(config: Config | Assistant, host: str = "127.0.0.1", port: int = 7860,
          panels: Sequence[tuple[str, Panel]] = ()) -> None:
    """Serve the app until it is interrupted; models load in the background once the page is up.

    panels as in `build`. Raises InputError where nothing can be served at the port or `login` finds no password, and
    what Assistant raises where the index cannot be opened.
    """
    check_port(host, port)
    auth = login(os.environ)
    if said := exposed(host, auth is not None):
        print(said, file=sys.stderr, flush=True)
    assistant = config if isinstance(config, Assistant) else Assistant(config)
    warmth = Warmth(assistant)
    page = build(assistant, warmth, panels)
    address = launch(page, host, port, block=False, auth=auth)
    print(f"Glassbox is at {address} (stop it with Ctrl+C)", file=sys.stderr, flush=True)
    warmth.start()
    page.block_thread()


def login(env: Mapping[str, str]) -> tuple[str, str] | None:
    """(user, password) of GLASSBOX_AUTH; None where it is not set. It is no setting, so no trace and no log has it.

    Raises InputError for anything but user:password, which may be a mistake that would let everybody in.
    """
    if LOGIN not in env:
        return None
    user, _, password = env[LOGIN].partition(":")
    if not user.strip() or not password:
        raise InputError(f"{LOGIN} is set, but not to user:password: set it so, or unset it to serve without a login")
    return user.strip(), password


def exposed(host: str, guarded: bool) -> str:
    """What to know before other machines can reach the page; "" for a host that is this machine alone."""
    try:  # "" listens everywhere
        own = host and all(ipaddress.ip_address(found[4][0]).is_loopback for found in socket.getaddrinfo(host, None))
    except (OSError, ValueError):
        own = False
    if own:
        return ""
    who = f"whoever knows the password of {LOGIN}" if guarded else "everybody there"
    rest = "it is sent unencrypted unless a proxy in front speaks HTTPS" if guarded else \
        f"set {LOGIN}=user:password to ask for a login"
    return (f"warning: {host or 'every address'} can be reached from other machines, and {who} can read, change and "
            f"delete the documents, conversations and traces; {rest}")


def check_port(host: str, port: int) -> None:
    """Raise InputError where nothing can listen on host:port."""
    if not 1 <= port <= 65535:
        raise InputError(f"--port is {port}: expected 1 to 65535, such as --port 7860")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, UnicodeError) as error:  # UnicodeError: a host that no name can be
        raise InputError(f"cannot listen on {host} port {port}: {getattr(error, 'strerror', None) or error}; "
                         f"{_remedy(error, port)}") from error


def _remedy(error: Exception, port: int) -> str:
    number = getattr(error, "errno", None)
    if isinstance(error, (socket.gaierror, UnicodeError)) or number == errno.EADDRNOTAVAIL:
        return "name an address of this machine with --host, such as --host 127.0.0.1"
    if number == errno.EACCES:
        return "ports under 1024 need rights: name a higher one, such as --port 7860"
    return f"stop the other program, or name another port with --port {port + 1 if port < 65535 else 7860}"


def _switches() -> str:
    return ('<div class="gb-switches">'
            f'<button type="button" class="gb-tool gb-phone" data-panel="left" aria-expanded="false">'
            f'{icon("list")}List</button>'
            '<button type="button" class="gb-tool gb-phone" data-panel="right" aria-expanded="false">'
            f'{icon("inspect")}Inspect</button>'
            f'<button type="button" class="gb-tool" data-theme aria-label="Light or dark">{icon("theme")}</button>'
            "</div>")
