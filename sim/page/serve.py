"""The page's server, on the loopback address unless told otherwise, silent towards others."""

import ctypes
import gc
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

from sim.declare import ScenarioError

GONE = "SOLARA_KERNEL_CULL_TIMEOUT"  # after so long without a word from the browser the market is let go
ASSETS = """\
The page's own files (Vue, Vuetify) are not installed: browsers will fetch them from the internet. Where there is
none, the page says so; to have it work offline:  pip install solara-assets
"""


def serve(arguments: list[str]) -> int:
    """`page [host=ADDRESS] [port=NUMBER] [open=true]`: serve until stopped."""
    chosen = {"host": "127.0.0.1", "port": "8765", "open": "false"}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals or name not in chosen:
            raise ScenarioError([f"page: {argument!r} is none of host=ADDRESS, port=NUMBER, open=true"])
        chosen[name] = value
    if not chosen["port"].isdigit() or not 0 < int(chosen["port"]) < 65536:
        raise ScenarioError([f"page: port={chosen['port']} is no port (1 to 65535)"])
    from click import Abort
    from solara.__main__ import cli

    print("Ctrl-C stops it", flush=True)
    opening = "--open" if chosen["open"].lower() == "true" else "--no-open"
    where = ["--host", chosen["host"], "--port", chosen["port"], opening, "--production"]
    with suppress(Abort, KeyboardInterrupt):
        cli.main(["run", "sim.app", *where], standalone_mode=False)
    return 0


def settle() -> None:
    """Solara's settings, however it was started: no word to its makers, and words of our own where files are missing.

    Without the files browsers are sent to the internet for them directly: a server without internet would keep each
    of them waiting for half a minute.
    """
    import solara.settings
    from solara.server import settings

    settings.telemetry.mixpanel_enable = settings.theme.show_banner = False
    settings.kernel.cull_timeout = os.environ.get(GONE, "3m")
    settings.assets.extra_locations = [*settings.assets.extra_locations, str(Path(__file__).parent / "assets")]
    if not (Path(settings.assets.proxy_cache_dir) / "@widgetti").is_dir():
        solara.settings.assets.proxy = False
        print(ASSETS, flush=True)


def give_back(after: float = 2.0) -> None:
    """Return memory that nobody uses to the system, a moment after a visitor has left: the C library would keep it."""

    def trim() -> None:
        gc.collect()
        if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim"):
            ctypes.CDLL(None).malloc_trim(0)

    timer = threading.Timer(after, trim)
    timer.daemon = True
    timer.current_context = None  # type: ignore[attr-defined]  # a thread of Solara's keeps its visitor alive
    timer.start()
