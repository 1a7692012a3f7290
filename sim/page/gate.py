"""Who may speak to the page's server, and what: the page's own address, its own files, messages of a bounded size.

Solara answers whoever connects, so this stands before it. A browser names the site whose script is speaking (Origin)
and the name under which it found the server (Host): another site has another Origin, and a name that was made to lead
to this machine (DNS rebinding) is another Host. Programs that are no browsers send no Origin and may say anything.
"""

import ipaddress
import json
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from sim.page.limits import KERNELS, MESSAGE, SOCKETS

Message = dict[str, Any]
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(\d{1,5}))?")
KERNEL = re.compile(r"/jupyter/api/kernels/([\w-]{1,64})/channels")
CLOSE = re.compile(r"/_solara/api/close/[\w-]{1,64}")
FILES = re.compile(r"/static/(?!public/).+|/jupyter/nbextensions/.+")
CDN = "/_solara/cdn/"
KINDS = ("kernel_info_request", "comm_info_request", "comm_open", "comm_msg", "comm_close", "shutdown_request")
UNTRUSTED = (b"script-name", b"x-script-name", b"x-forwarded-host", b"x-forwarded-proto")  # Solara believes anybody's
HEADERS = [(b"content-security-policy", b"frame-ancestors 'self'"), (b"x-content-type-options", b"nosniff")]


FULL = f"This server takes {KERNELS} visitors, {SOCKETS} connections each; one of them has to leave first."


@dataclass
class Access:
    """Where the page may be found: beyond the loopback address or not, and the address of a proxy before it."""

    beyond: bool = False
    origin: str = ""  # scheme://host[:port] as browsers say it

    @property
    def host(self) -> str:
        return self.origin.partition("://")[2]


ACCESS = Access()


class Refused(Exception):
    """Why a request is not answered: an HTTP status and a sentence."""

    def __init__(self, status: int, words: str):
        self.status, self.words = status, words
        super().__init__(words)


def may_host(host: str, access: Access) -> bool:
    """Whether a name under which the server was asked is its own."""
    found = HOST.fullmatch(host)
    if not found:
        return False
    name = found[1]
    own = {"localhost", *({socket.gethostname().lower()} if access.beyond else ())}
    return host == access.host or name in own or _address(name) in ((True, False) if access.beyond else (True,))


def may_origin(origin: str, host: str, access: Access) -> bool:
    """Whether a script of this origin may speak to a server that was asked as `host`."""
    if access.origin and (host == access.host or origin == access.origin):
        return origin == access.origin
    scheme, _, place = origin.partition("://")
    if scheme != "http":
        return False
    ours, theirs = HOST.fullmatch(host), HOST.fullmatch(place)
    loopback = ours and theirs and ours[2] == theirs[2] and _loopback(ours[1]) and _loopback(theirs[1])
    return place == host or bool(loopback)


def _loopback(name: str) -> bool:
    return name == "localhost" or _address(name) is True


def _address(name: str) -> bool | None:
    """Whether an address is the loopback's; None for a name, which is no address."""
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return None


def judge(scope: Message, access: Access) -> None:
    """Refused unless the request comes from the page itself, or no browser at all, and asks for what there is."""
    named: dict[bytes, list[str]] = {b"host": [], b"origin": []}
    for name, value in scope["headers"]:
        if name in named:
            named[name].append(value.decode("latin-1").lower())
    hosts, origins = named[b"host"], named[b"origin"]
    if len(hosts) != 1 or not may_host(hosts[0], access):
        said = "This page is not served under this name; whoever serves it can allow it: origin=http://NAME[:PORT]."
        raise Refused(403, said)
    if len(origins) > 1 or not all(may_origin(o, hosts[0], access) for o in origins):
        raise Refused(403, "This page takes no requests from other sites; a proxy's address is allowed by origin=.")
    if not _known(scope):
        raise Refused(404, "There is nothing here but the page, at /.")


def _known(scope: Message) -> bool:
    path, asked = scope["path"], parse_qs(scope["query_string"].decode("latin-1"))
    if ".." in path or "\\" in path or "\0" in path:
        return False
    if scope["type"] == "websocket":
        return bool(KERNEL.fullmatch(path) and asked.get("session_id"))
    if scope["method"] == "POST":
        return bool(CLOSE.fullmatch(path) and asked.get("session_id"))
    known = path in ("/", "/readyz") or FILES.fullmatch(path) or (path.startswith(CDN) and _stored(path))
    return bool(known) and scope["method"] in ("GET", "HEAD")


def _stored(path: str) -> bool:
    """Whether a file of the internet's is here already: Solara would fetch any, and keep it, and remove a folder."""
    from solara.server import settings

    root = Path(settings.assets.proxy_cache_dir).resolve()
    found = (root / path.removeprefix(CDN)).resolve()
    return found.is_relative_to(root) and found.is_file()


def wrong(message: Message) -> tuple[int, str] | None:
    """(close code, why) of a message from a browser that Solara should not see; None where nothing is wrong."""
    text = message.get("text")
    if text is None:
        return 1003, "the page takes text only"
    if len(text.encode("utf-8", "surrogatepass")) > MESSAGE:
        return 1009, f"the page takes messages of up to {MESSAGE:,} bytes"
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return 1007, "the page takes JSON"
    return None if _spoken(told) else (1008, "the page does not know this kind of message")


def _spoken(told: Any) -> bool:
    """Whether this is a message of the Jupyter protocol as far as the page speaks it."""
    if not isinstance(told, dict) or not isinstance(told.get("channel"), str):
        return False
    parts = [told.get(name) for name in ("header", "content", "parent_header", "metadata")]
    if not all(isinstance(part, dict) for part in parts) or told.get("buffers", []) != []:
        return False
    head, content = told["header"], told["content"]
    named = {"comm_id": KINDS[2:5], "target_name": KINDS[2:3]}  # what messages of which kinds are about
    about = [content.get(name) for name, kinds in named.items() if head.get("msg_type") in kinds]
    words = [head.get("msg_id"), *about]
    return head.get("msg_type") in KINDS and all(isinstance(word, str) and word.isascii() for word in words)


@dataclass
class Gate:
    """The ASGI application before Solara's: what it refuses gets a sentence and goes no further."""

    app: Callable[..., Any]
    access: Access = field(default_factory=lambda: ACCESS)
    held: dict[str, int] = field(default_factory=dict)  # connections by visitor

    async def __call__(self, scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        try:
            judge(scope, self.access)
            if scope["path"] == "/" and len(_visitors()) >= KERNELS:
                raise Refused(503, FULL)
            if scope["type"] == "websocket":
                await self._connected(_trusted(scope, self.access), receive, send)
            else:
                await self.app(_trusted(scope, self.access), receive, _with_headers(send))
        except Refused as why:
            await _refuse(scope, send, why)

    async def _connected(self, scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """A visitor's connection, while there is room for it."""
        kernel = KERNEL.fullmatch(scope["path"])
        visitor = kernel[1] if kernel else ""
        others = {*self.held, *_visitors()} - {visitor}
        if len(others) >= KERNELS or self.held.get(visitor, 0) >= SOCKETS:
            raise Refused(503, FULL)
        self.held[visitor] = self.held.get(visitor, 0) + 1
        try:
            await self.app(scope, *_bounded(receive, send))
        finally:
            self.held[visitor] -= 1
            if not self.held[visitor]:
                del self.held[visitor]


def _visitors() -> list[str]:
    """Those whom Solara knows, connected or not."""
    from solara.server import kernel_context

    return list(kernel_context.contexts)


def _trusted(scope: Message, access: Access) -> Message:
    """The request without the headers of proxies; behind one the address is what `origin` says."""
    headers = [(name, value) for name, value in scope["headers"] if name not in UNTRUSTED]
    return {**scope, "headers": headers} | ({"scheme": "https"} if _secure(scope, access) else {})


def _secure(scope: Message, access: Access) -> bool:
    return scope["type"] == "http" and access.origin.startswith("https:")


def _bounded(receive: Callable[..., Any], send: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The same connection, ended at the first message that Solara should not see."""
    ended = False

    async def read() -> Message:
        nonlocal ended
        message: Message = await receive()
        why = wrong(message) if message["type"] == "websocket.receive" else None
        if why is None or ended:
            return message
        ended = True
        await send({"type": "websocket.close", "code": why[0], "reason": why[1]})
        return {"type": "websocket.disconnect", "code": why[0], "reason": why[1]}

    async def write(message: Message) -> None:
        if not ended:
            await send(message)

    return read, write


def _with_headers(send: Callable[..., Any]) -> Callable[..., Any]:
    async def write(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *HEADERS]}
        await send(message)

    return write


async def _refuse(scope: Message, send: Callable[..., Any], why: Refused) -> None:
    """A plain sentence; a WebSocket is refused before it opens."""
    kind = "http.response"
    if scope["type"] == "websocket":
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008, "reason": why.words})
            return
        kind = "websocket.http.response"
    body = why.words.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": f"{kind}.start", "status": why.status, "headers": [*headers, *HEADERS]})
    await send({"type": f"{kind}.body", "body": body})
