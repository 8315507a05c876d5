"""The app's composition root: `python app.py` serves the page over the settings of this machine."""
from __future__ import annotations

import argparse
import sys

from assistant.config import Config
from assistant.errors import GlassboxError


def build(assistant):
    """The page over an Assistant, as a gradio Blocks."""
    from assistant.cli import panels
    from assistant.ui.page import build as build_page
    return build_page(assistant, panels=panels())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Serve Glassbox on this machine.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--index", help="folder of the index")
    options = parser.parse_args(arguments)
    try:
        from assistant.cli import panels
        from assistant.ui.page import serve
        serve(Config.load({"index": options.index} if options.index else {}), options.host, options.port,
              panels=panels())
    except GlassboxError as error:
        print(f"glassbox: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
