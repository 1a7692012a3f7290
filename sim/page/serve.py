"""The page's server, on the loopback address unless told otherwise, silent towards others."""

import os
import subprocess
import sys
from pathlib import Path

from sim.declare import ScenarioError

QUIET = {"SOLARA_KERNEL_CULL_TIMEOUT": "10m", "SOLARA_THEME_SHOW_BANNER": "False"}
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
    print(f"http://{chosen['host']}:{chosen['port']}  (Ctrl-C stops it)", flush=True)
    opening = "--open" if chosen["open"].lower() == "true" else "--no-open"
    where = ["--host", chosen["host"], "--port", chosen["port"], opening, "--production"]
    command = [sys.executable, "-m", "solara", "run", "sim.app", *where]
    return subprocess.run(command, env={**QUIET, **os.environ}, check=False).returncode


def settle() -> None:
    """Solara's settings, however it was started: no word to its makers, and words of our own where files are missing.

    Without the files browsers are sent to the internet for them directly: a server without internet would keep each
    of them waiting for half a minute.
    """
    import solara.settings
    from solara.server import settings

    settings.telemetry.mixpanel_enable = False
    settings.assets.extra_locations = [*settings.assets.extra_locations, str(Path(__file__).parent / "assets")]
    if not (Path(settings.assets.proxy_cache_dir) / "@widgetti").is_dir():
        solara.settings.assets.proxy = False
        print(ASSETS, flush=True)
