"""Which requests the page's server answers: from its own address, for its own files, in messages of bounded size.

Solara answers every connection, so this stands before it. A browser names the site whose script is asking (Origin)
and the name under which it found the server (Host): another site has another Origin, and a name that was made to lead
to this machine (DNS rebinding) is another Host. Programs that are no browsers send no Origin; this does not restrict
them.
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
STATIC_FILES = re.compile(r"/static/(?!public/).+|/jupyter/nbextensions/.+")
CDN = "/_solara/cdn/"
MESSAGE_TYPES = ("kernel_info_request", "comm_info_request", "comm_open", "comm_msg", "comm_close", "shutdown_request")
# Solara trusts these headers from any client
UNTRUSTED = (b"script-name", b"x-script-name", b"x-forwarded-host", b"x-forwarded-proto")
HEADERS = [(b"content-security-policy", b"frame-ancestors 'self'"), (b"x-content-type-options", b"nosniff")]
SERVER_FULL = f"This server takes {KERNELS} visitors, {SOCKETS} connections each; one of them must leave first."


@dataclass
class Access:
    """Where the page is served: beyond the loopback address or not, and the address of a proxy before it."""

    beyond: bool = False
    origin: str = ""  # scheme://host[:port] as browsers write it

    @property
    def host(self) -> str:
        return self.origin.partition("://")[2]


ACCESS = Access()


class Refused(Exception):
    """Why a request is not answered: an HTTP status and a sentence."""

    def __init__(self, status: int, text: str):
        self.status, self.text = status, text
        super().__init__(text)


def may_host(host: str, access: Access) -> bool:
    """Whether a name under which the server was asked is its own."""
    found = HOST.fullmatch(host)
    if not found:
        return False
    name = found[1]
    own = {"localhost", *({socket.gethostname().lower()} if access.beyond else ())}
    return host == access.host or name in own or _address(name) in ((True, False) if access.beyond else (True,))


def may_origin(origin: str, host: str, access: Access) -> bool:
    """Whether a script of this origin may use a server that was asked as `host`."""
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


def check_request(scope: Message, access: Access) -> None:
    """Raises Refused unless the request comes from the page itself, or from no browser, and asks for what exists."""
    named: dict[bytes, list[str]] = {b"host": [], b"origin": []}
    for name, value in scope["headers"]:
        if name in named:
            named[name].append(value.decode("latin-1").lower())
    hosts, origins = named[b"host"], named[b"origin"]
    if len(hosts) != 1 or not may_host(hosts[0], access):
        text = "This page is not served under this name; the server can allow it: origin=http://NAME[:PORT]."
        raise Refused(403, text)
    if len(origins) > 1 or not all(may_origin(o, hosts[0], access) for o in origins):
        raise Refused(403, "This page takes no requests from other sites; a proxy's address is allowed by origin=.")
    if not _known(scope):
        raise Refused(404, "There is only the page here, at /.")


def _known(scope: Message) -> bool:
    path, asked = scope["path"], parse_qs(scope["query_string"].decode("latin-1"))
    if ".." in path or "\\" in path or "\0" in path:
        return False
    if scope["type"] == "websocket":
        return bool(KERNEL.fullmatch(path) and asked.get("session_id"))
    if scope["method"] == "POST":
        return bool(CLOSE.fullmatch(path) and asked.get("session_id"))
    known = path in ("/", "/readyz") or STATIC_FILES.fullmatch(path) or (path.startswith(CDN) and _stored(path))
    return bool(known) and scope["method"] in ("GET", "HEAD")


def _stored(path: str) -> bool:
    """Whether a file of the CDN is stored here: Solara would fetch any other, keep it, and remove a folder for it."""
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
        found = json.loads(text)
    except (ValueError, RecursionError):
        return 1007, "the page takes JSON"
    return None if _is_page_message(found) else (1008, "the page does not know this kind of message")


def _is_page_message(found: Any) -> bool:
    """Whether this is a message of the part of the Jupyter protocol that the page uses."""
    if not isinstance(found, dict) or not isinstance(found.get("channel"), str):
        return False
    parts = [found.get(name) for name in ("header", "content", "parent_header", "metadata")]
    if not all(isinstance(part, dict) for part in parts) or found.get("buffers", []) != []:
        return False
    head, content = found["header"], found["content"]
    named = {"comm_id": MESSAGE_TYPES[2:5], "target_name": MESSAGE_TYPES[2:3]}  # what messages of which kinds are about
    about = [content.get(name) for name, kinds in named.items() if head.get("msg_type") in kinds]
    names = [head.get("msg_id"), *about]
    return head.get("msg_type") in MESSAGE_TYPES and all(isinstance(name, str) and name.isascii() for name in names)


@dataclass
class Gate:
    """The ASGI application before Solara's: a request that it refuses gets a sentence and goes no further."""

    app: Callable[..., Any]
    access: Access = field(default_factory=lambda: ACCESS)
    connections: dict[str, int] = field(default_factory=dict)  # connections by visitor

    async def __call__(self, scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        try:
            check_request(scope, self.access)
            if scope["path"] == "/" and len(_visitors()) >= KERNELS:
                raise Refused(503, SERVER_FULL)
            if scope["type"] == "websocket":
                await self._connected(_trusted(scope, self.access), receive, send)
            else:
                await self.app(_trusted(scope, self.access), receive, _with_headers(send))
        except Refused as why:
            await _refuse(scope, send, why)

    async def _connected(self, scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """A visitor's connection, while there is capacity for it."""
        kernel = KERNEL.fullmatch(scope["path"])
        visitor = kernel[1] if kernel else ""
        others = {*self.connections, *_visitors()} - {visitor}
        if len(others) >= KERNELS or self.connections.get(visitor, 0) >= SOCKETS:
            raise Refused(503, SERVER_FULL)
        self.connections[visitor] = self.connections.get(visitor, 0) + 1
        try:
            await self.app(scope, *_bounded(receive, send))
        finally:
            self.connections[visitor] -= 1
            if not self.connections[visitor]:
                del self.connections[visitor]


def _visitors() -> list[str]:
    """The visitors known to Solara, connected or not."""
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
            await send({"type": "websocket.close", "code": 1008, "reason": why.text})
            return
        kind = "websocket.http.response"
    body = why.text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": f"{kind}.start", "status": why.status, "headers": [*headers, *HEADERS]})
    await send({"type": f"{kind}.body", "body": body})
