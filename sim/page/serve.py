"""The page's server: on the loopback address unless an argument says otherwise, without telemetry."""

import ctypes
import gc
import ipaddress
import logging
import os
import re
import socket
import sys
import threading
import warnings
from contextlib import suppress
from pathlib import Path

from sim.model.declare import ScenarioError, did_you_mean
from sim.page.gate import ACCESS, HOST, Gate
from sim.page.limits import MESSAGE

IDLE_TIMEOUT = "SOLARA_KERNEL_CULL_TIMEOUT"  # after so long without a connection a market is deleted
LOOPBACK = "127.0.0.1"
SERVE_DEFAULTS = {"host": LOOPBACK, "port": "8765", "open": "false", "origin": ""}
USAGE = "host=ADDRESS, port=NUMBER, open=true, origin=https://NAME"
ASSETS = """\
The page's own files (Vue, Vuetify) are not installed: browsers will fetch them from the internet. Without internet
the page says so. To work offline:  pip install solara-assets
"""


def serve(arguments: list[str]) -> int:
    """`page [host=ADDRESS] [port=NUMBER] [open=true] [origin=URL]`: serve until stopped."""
    chosen = serve_settings(arguments)
    port = int(chosen["port"])
    sockets = listen(chosen["host"], port)
    addresses = [s.getsockname()[0] for s in sockets]
    beyond = [a for a in addresses if not _is_loopback(a)]
    ACCESS.beyond, ACCESS.origin = bool(beyond), chosen["origin"]
    url = chosen["origin"] or f"http://{_shown(addresses[0])}:{port}"
    print(f"The page is at {url}; Ctrl-C stops it", flush=True)
    if beyond:
        print(f"Everybody who reaches this machine on port {port} can play: {', '.join(beyond)} is no loopback address")
    sys.stdout.flush()
    if chosen["open"] == "true":
        _open_later(url)
    _run(sockets)
    return 0


def serve_settings(arguments: list[str]) -> dict[str, str]:
    """The values that the arguments choose; ScenarioError with everything wrong with them."""
    chosen, wrong = dict(SERVE_DEFAULTS), []
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals or name not in chosen:
            near = did_you_mean(name, SERVE_DEFAULTS).partition("; known")[0]
            wrong.append(f"page: {argument!r} is none of {USAGE}{near}")
        chosen[name] = value.strip().lower()
    chosen["host"] = chosen["host"] or LOOPBACK
    port = chosen["port"]
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        wrong.append(f"page: port={port[:20]} is no port (1 to 65535)")
    if chosen["open"] not in ("true", "false"):
        wrong.append(f"page: open={chosen['open'][:20]} is neither true nor false")
    scheme, _, place = chosen["origin"].removesuffix("/").partition("://")
    if chosen["origin"] and not (scheme in ("http", "https") and HOST.fullmatch(place)):
        wrong.append(f"page: origin={chosen['origin'][:80]} is no address such as https://example.org[:PORT]")
    if wrong:
        raise ScenarioError(wrong)
    chosen["origin"] = re.sub(r"^(http://.*):80$|^(https://.*):443$", r"\1\2", chosen["origin"].removesuffix("/"))
    return chosen


def listen(host: str, port: int) -> list[socket.socket]:
    """A socket for every address of a host (localhost has two); ScenarioError where there is none."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ScenarioError([f"page: host={host[:80]} is no address of this machine"]) from None
    sockets, why = [], ""
    for family, address in dict.fromkeys((f, a) for f, *_, a in found):
        try:
            sockets.append(_bound(family, address))
        except OSError as error:
            why = error.strerror or str(error)
    if not sockets:
        raise ScenarioError([f"page: cannot listen on {host[:80]}, port {port}: {why}"])
    return sockets


def _bound(family: int, address: tuple[object, ...]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.listen(128)
    except OSError:
        made.close()
        raise
    return made


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _shown(address: str) -> str:
    """An address as a browser takes it."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if found.is_unspecified:
        return LOOPBACK if found.version == 4 else "[::1]"
    return f"[{found}]" if found.version == 6 else str(found)


def _run(sockets: list[socket.socket]) -> None:
    """Solara's application on these sockets, without the command line of Solara, which looks for updates online."""
    os.environ["SOLARA_APP"] = "sim.app"
    import solara.server.settings
    import uvicorn
    from solara.server.starlette import app

    solara.server.settings.main.mode = "production"
    for name in ("solara", "reacton"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", "Cookies with samesite=none")
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws_max_size=MESSAGE,
        timeout_graceful_shutdown=2,
    )
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=sockets)


def _open_later(url: str) -> None:
    import webbrowser

    timer = threading.Timer(1.0, webbrowser.open, [url])
    timer.daemon = True
    timer.start()


def configure() -> None:
    """Solara's settings, however it was started: no telemetry, and our own sentence where files are missing.

    Without the files browsers fetch them from the internet directly: a server without internet would keep each of
    them waiting for half a minute.
    """
    import solara.settings
    from solara.server import settings

    settings.telemetry.mixpanel_enable = settings.theme.show_banner = False
    settings.kernel.cull_timeout = os.environ.get(IDLE_TIMEOUT, "3m")
    settings.main.root_path = settings.main.root_path or ""  # otherwise the first request decides, for everybody
    settings.assets.extra_locations = [*settings.assets.extra_locations, str(Path(__file__).parent / "assets")]
    if not (Path(settings.assets.proxy_cache_dir) / "@widgetti").is_dir():
        solara.settings.assets.proxy = False
        print(ASSETS, flush=True)
    install_gate()


def install_gate() -> None:
    """Put the gate before Solara's application; one that has started already builds its stack again."""
    from solara.server.starlette import app
    from starlette.middleware import Middleware

    if all(m.cls is not Gate for m in app.user_middleware):
        app.user_middleware.insert(0, Middleware(Gate))
        app.middleware_stack = None
        # uvicorn logs a WebSocket that was refused with a sentence as one that was never answered
        logging.getLogger("uvicorn.error").addFilter(
            lambda record: "without completing handshake" not in record.getMessage()
        )


def release_memory(after: float = 2.0) -> None:
    """Return free memory to the system, a moment after a visitor has left: the C library would keep it."""

    def trim() -> None:
        gc.collect()
        if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim"):
            ctypes.CDLL(None).malloc_trim(0)

    timer = threading.Timer(after, trim)
    timer.daemon = True
    timer.current_context = None  # type: ignore[attr-defined]  # Solara would keep the visitor with the thread
    timer.start()
