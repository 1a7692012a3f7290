"""The page's server, on the loopback address unless told otherwise, silent towards others."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from sim.declare import ScenarioError

QUIET = {"SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False", "SOLARA_KERNEL_CULL_TIMEOUT": "10m"}
QUIET["SOLARA_THEME_SHOW_BANNER"] = "False"
ASSETS = """\
The page's own files (Vue, Vuetify) are fetched from the internet when first opened. If it stays blank, there is no
internet here: install them with  pip install solara-assets
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
    if not (has_assets() or fetched()):
        print(ASSETS)
    print(f"http://{chosen['host']}:{chosen['port']}  (Ctrl-C stops it)", flush=True)
    opening = "--open" if chosen["open"].lower() == "true" else "--no-open"
    where = ["--host", chosen["host"], "--port", chosen["port"], opening, "--production"]
    command = [sys.executable, "-m", "solara", "run", "sim.app", *where]
    return subprocess.run(command, env={**QUIET, **os.environ}, check=False).returncode


def has_assets() -> bool:
    """Whether the files for a page without the internet are installed."""
    return find_spec("solara_assets") is not None or (Path(sys.prefix) / "share/solara/cdn/vue").is_dir()


def fetched() -> bool:
    """Whether the files have been fetched from the internet before."""
    folder = Path(os.environ.get("SOLARA_ASSETS_PROXY_CACHE_DIR", Path(sys.prefix) / "share/solara/cdn"))
    return any(folder.glob("*vue*"))
