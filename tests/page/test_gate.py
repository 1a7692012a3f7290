"""The page's server toward strangers: links, origins, names, messages, files, and how much of anything it takes."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

pytest.importorskip("solara", reason="the page needs the extra `page`")
pytest.importorskip("mesa", reason="the page needs the extra `page`")

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from sim.model.declare import ScenarioError
from sim.model.scenario import change
from sim.page import export, limits, serve
from sim.page import game as games
from sim.page.events import with_events
from sim.page.game import Game, preset
from sim.page.gate import Access, Gate, may_host, may_origin, wrong
from sim.page.session import Session
from sim.study.presets import compose, presets, stated

ROOT = Path(__file__).parents[2]
LOCAL, OPEN = Access(), Access(beyond=True)
PROXY = Access(origin="https://example.org")


def until(done, seconds=180):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


# ---------------------------------------------------------------- links


@pytest.mark.parametrize(
    "query",
    [
        {"network.kind": "file", "network.edges": "SECRET"},
        {"network.edges": "SECRET"},
        {"network.kind": "file"},
        {"network": '{"kind": "file", "edges": "SECRET"}'},
        {"network": '{"edges": "SECRET"}', "network.kind": "file"},
        {"scandals": '{"x": {"firm": "SECRET"}}'},
        {"moves.x": '{"lever": "SECRET"}'},
        {"network.kind ": "file", "network.edges ": "SECRET"},
        {"panel": "SECRET"},
        {"hydra.run.dir": "SECRET"},
        {"market": "SECRET"},
        {"market": "../../SECRET"},
    ],
)
def test_a_link_names_no_file_and_no_sentence_repeats_one(tmp_path, query):
    secret = tmp_path / "secret.txt"
    secret.write_text("db_password=hunter2 1 2\n")
    session = Session()
    session.open("?" + urlencode({n: v.replace("SECRET", str(secret)) for n, v in query.items()} | {"people": 300}))
    until(lambda: not session.busy.value)
    text = " ".join(session.problems.value)
    assert text.startswith("this link cannot be restored") and "hunter2" not in text
    assert session.game.scenario.network.kind == preset(games.FIRST_MARKET).network.kind  # the first preset instead
    session.close()


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("?people=1000001", "people: 1,000,001 is more than the page plays (1,000,000)"),
        ("?people=2000000000", "more than the page plays"),
        ("?weeks=5200", "weeks: 5,200 is more than the page plays"),
        ("?burn_in=5200", "burn_in: 5,200 is more than the page plays (520)"),
        ("?people=5&people=6", "people: given more than once"),
        ("?people=", "people: '' is not a number"),
        ("?people=" + "9" * 5000, "is not a number"),
        ("?people=" + quote("[") * 5000, "is not a number"),
        ("?seed=" + "1" * 17_000, "the link has 17,006 characters; a page reads up to 16,384"),
        ("?firms.colgat.price=1", "firms.colgat.price: nothing that a link can set; did you mean firms.colgate.price?"),
        ("?firms.new.price=1", "nothing that a link can set"),
        ("?scandals.x.nope=1", "scandals.x.nope: nothing that a link can set"),
        ("?scandals.a.b.c=1", "nothing that a link can set"),
        ("?replications=100", "replications: nothing that a link can set"),
        ("?seed=[1]", "seed: [1] is no single value"),
        ("?utm_source=mail", "utm_source: nothing that a link can set"),
    ],
)
def test_a_link_holds_declared_values_within_the_limits_only(query, says):
    with pytest.raises(ScenarioError) as error:
        export.linked(query)
    assert any(says in c for c in error.value.complaints), error.value.complaints
    assert all(len(c) < 400 for c in error.value.complaints)


def test_a_thousand_wrong_names_are_a_few_sentences_at_once():
    with pytest.raises(ScenarioError) as error:
        export.linked("?" + "&".join(f"x{n}=1" for n in range(1000)))
    assert len(error.value.complaints) == export.REPEATED + 1 and error.value.complaints[-1] == "and 995 more"


def test_a_market_can_be_linked_to_after_much_has_happened():
    game = Game(change(preset("mobile"), {"people": 300, "burn_in": 0}))
    game.step()
    game.scandal("data_breach", "o2" if "o2" in game.start.firms else game.start.focus)
    game.move("price", game.start.focus, 0.8, "price cut")
    game.set_lever(f"firms.{game.start.focus}.quality", 1.0)
    assert export.linked(export.link("mobile", game)).scenario == with_events(game.start, game.events)


@pytest.mark.parametrize("market", presets("market"))
def test_every_preset_is_within_the_limits(market):
    limits.check_limits(stated(compose([f"market={market}"])[0], []))


# ---------------------------------------------------------------- people, weeks, visitors


def test_a_file_of_edges_is_played_by_nobody(tmp_path):
    (tmp_path / "edges").write_text("0 1\n")
    filed = {"people": 300, "network.kind": "file", "network.edges": str(tmp_path / "edges")}
    with pytest.raises(ScenarioError, match="the page reads no file of edges"):
        Game(change(preset(games.FIRST_MARKET), filed))


def test_weeks_end_with_a_sentence_and_can_still_be_linked_to(monkeypatch):
    monkeypatch.setattr(limits, "WEEKS", 105)
    monkeypatch.setattr(limits, "HORIZON", 105 + 104)
    session = Session()
    session.open("?people=100&burn_in=0")
    until(lambda: session.game is not None and not session.busy.value)
    session.speed.value = 20
    session.step(100)
    session.play()
    until(lambda: not session.playing.value)
    session.thread.join(60)
    assert session.game.week == 105 and session.problems.value == [
        "week 105 is the last that the page plays; Reset begins again"
    ]
    session.game.scandal("data_breach", "colgate")
    restored = export.linked(export.link(games.FIRST_MARKET, session.game))
    assert restored.scenario == with_events(session.game.start, session.game.events) and restored.week == 105
    session.close()


def visitor(query="?people=300&burn_in=0"):
    session = Session()
    session.open(query)
    until(lambda: not session.busy.value)
    return session


def test_a_visitor_too_many_is_told_so_and_comes_in_when_another_leaves(monkeypatch):
    monkeypatch.setattr(limits, "CAPACITY", limits.Capacity())
    monkeypatch.setattr(limits, "VISITORS", 2)
    one, two, three = visitor(), visitor(), visitor()
    assert three.game is None and "2 visitors play already" in three.problems.value[0]
    one.reset()  # keeps its own place
    until(lambda: not one.busy.value)
    assert one.game is not None and not one.problems.value
    two.close()
    three.reset()
    until(lambda: not three.busy.value)
    assert three.game is not None and not three.problems.value
    for session in (one, three):
        session.close()
    assert len(limits.CAPACITY) == 0


def test_people_times_firms_are_shared_by_all_visitors_and_given_back(monkeypatch):
    monkeypatch.setattr(limits, "CAPACITY", limits.Capacity())
    monkeypatch.setattr(limits, "BONDS", 9 * 1000)
    one, two = visitor("?people=600&burn_in=0"), visitor("?people=500&burn_in=0")
    assert one.game is not None and two.game is None
    assert "4,500 people x firms; all visitors together have 9,000, of which 3,600 are free" in two.problems.value[0]
    one.close()
    two.reset()
    until(lambda: not two.busy.value)
    assert two.game.start.people == 500
    two.close()


# ---------------------------------------------------------------- whose request


@pytest.mark.parametrize(
    ("origin", "host", "access", "may"),
    [
        ("http://127.0.0.1:8765", "127.0.0.1:8765", LOCAL, True),
        ("http://localhost:8765", "localhost:8765", LOCAL, True),
        ("http://localhost:8765", "127.0.0.1:8765", LOCAL, True),
        ("http://[::1]:8765", "[::1]:8765", LOCAL, True),
        ("http://localhost", "localhost", LOCAL, True),
        ("http://evil.example", "127.0.0.1:8765", LOCAL, False),
        ("http://evil.example:8765", "127.0.0.1:8765", LOCAL, False),
        ("null", "127.0.0.1:8765", LOCAL, False),
        ("", "127.0.0.1:8765", LOCAL, False),
        ("https://127.0.0.1:8765", "127.0.0.1:8765", LOCAL, False),
        ("http://127.0.0.1:8766", "127.0.0.1:8765", LOCAL, False),
        ("http://127.0.0.1", "127.0.0.1:8765", LOCAL, False),
        ("http://127.0.0.1:8765.evil.example", "127.0.0.1:8765", LOCAL, False),
        ("http://127.0.0.1:8765@evil.example", "127.0.0.1:8765", LOCAL, False),
        ("http://localhost.evil.example:8765", "127.0.0.1:8765", LOCAL, False),
        ("http://10.0.0.7:8765", "127.0.0.1:8765", OPEN, False),
        ("http://10.0.0.7:8765", "10.0.0.7:8765", OPEN, True),
        ("file://", "127.0.0.1:8765", LOCAL, False),
        ("chrome-extension://abc", "127.0.0.1:8765", LOCAL, False),
        ("https://example.org", "example.org", PROXY, True),
        ("https://example.org", "127.0.0.1:8765", PROXY, True),
        ("http://127.0.0.1:8765", "127.0.0.1:8765", PROXY, True),
        ("http://example.org", "example.org", PROXY, False),
        ("https://example.org:444", "example.org", PROXY, False),
        ("https://example.org", "127.0.0.1:8765", LOCAL, False),
    ],
)
def test_origins(origin, host, access, may):
    assert may_origin(origin, host, access) is may


@pytest.mark.parametrize(
    ("host", "access", "may"),
    [
        ("127.0.0.1:8765", LOCAL, True),
        ("127.0.0.2:8765", LOCAL, True),
        ("localhost", LOCAL, True),
        ("[::1]:8765", LOCAL, True),
        ("evil.example:8765", LOCAL, False),
        ("localhost.evil.example", LOCAL, False),
        ("127.0.0.1.evil.example", LOCAL, False),
        ("localhost@evil.example", LOCAL, False),
        ("10.0.0.7:8765", LOCAL, False),
        ("0.0.0.0:8765", LOCAL, False),
        ("2130706433", LOCAL, False),
        ("", LOCAL, False),
        ("10.0.0.7:8765", OPEN, True),
        ("[fe80::1]:8765", OPEN, True),
        (socket.gethostname().lower(), OPEN, True),
        ("evil.example", OPEN, False),
        ("example.org", PROXY, True),
        ("evil.example", PROXY, False),
    ],
)
def test_names_of_the_server(host, access, may):
    assert may_host(host, access) is may


def message(kind="comm_open", content=None, **other):
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "u", "session": "s", "version": "5.3"}
    fields = {"header": header, "parent_header": {}, "metadata": {}, "content": content or {}, "channel": "shell"}
    return json.dumps({**fields, "buffers": [], **other})


BAD = {
    "binary": (b'{"header": {}}', 1003),
    "many buffers": (b"\x7f\xff\xff\xff" * 4, 1003),
    "empty bytes": (b"", 1003),
    "no JSON": ("hello", 1007),
    "empty": ("", 1007),
    "deep": ("[" * 60_000, 1007),
    "digits": ("9" * 60_000, 1007),
    "long": (message(content={"x": "a" * 70_000}), 1009),
    "a list": ("[1]", 1008),
    "no header": ('{"channel": "shell"}', 1008),
    "header is a list": (message(header=[]), 1008),
    "no kind": (message(header={"msg_id": "1"}), 1008),
    "code": (message("execute_request", {"code": "1+1"}), 1008),
    "channel": (message(channel=None), 1008),
    "about nothing": (message("comm_msg", {"data": {}}), 1008),
    "about a list": (message("comm_close", {"comm_id": ["c"]}), 1008),
    "no ASCII": (message("comm_msg", {"comm_id": "\ud800"}), 1008),
    "kind is a list": (message(header={"msg_id": "1", "msg_type": []}), 1008),
    "buffers": (message(buffers=["a"]), 1008),
}


@pytest.mark.parametrize("sent", BAD.values(), ids=list(BAD))
def test_messages_that_solara_never_sees(sent):
    text, code = sent
    found = wrong({"type": "websocket.receive", "bytes" if isinstance(text, bytes) else "text": text})
    assert found and found[0] == code


def test_a_full_server_says_so_and_has_room_again():
    async def app(scope, receive, send):
        await receive()

    def ask(gate, kernel, path="/jupyter/api/kernels/{}/channels"):
        headers = [(b"host", b"127.0.0.1:8765")]
        scope = {"type": "websocket", "path": path.format(kernel), "query_string": b"session_id=1", "headers": headers}
        scope["extensions"] = {"websocket.http.response": {}}
        sent, leave = [], asyncio.Event()

        async def receive():
            await leave.wait()
            return {"type": "websocket.disconnect"}

        async def send(answer):
            sent.append(answer)

        return asyncio.ensure_future(gate(scope, receive, send)), leave, sent

    async def fill():
        gate = Gate(app, LOCAL)
        asked = [ask(gate, f"k{n}") for n in range(limits.KERNELS)] + [ask(gate, "k0")]
        await asyncio.sleep(0)
        refused, _, sent = ask(gate, "late")
        await refused
        assert sent[0]["status"] == 503 and b"one of them must leave" in sent[1]["body"]
        more = [ask(gate, "k1") for _ in range(limits.SOCKETS)]
        await more[-1][0]
        assert more[-1][2][0]["status"] == 503  # no visitor has more than SOCKETS connections
        asked[2][1].set()
        await asked[2][0]
        task, _, sent = ask(gate, "late")
        await asyncio.sleep(0.01)
        assert not task.done()
        assert not sent and "late" in gate.connections and "k2" not in gate.connections

    asyncio.run(fill())


def test_the_gate_stands_however_the_page_is_served():
    from solara.server.starlette import app

    import sim.app  # as `solara run sim/app.py` does

    assert app.user_middleware[0].cls is Gate and sim.app.Page
    serve.install_gate()
    assert [m.cls for m in app.user_middleware].count(Gate) == 1


def test_solara_run_finds_mesa_and_not_the_folder_of_that_name():
    """`solara run sim/app.py` puts sim/ on the path."""
    code = "import sys, runpy; sys.path.insert(0, 'sim'); runpy.run_path('sim/app.py'); import mesa; mesa.DataCollector"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


# ---------------------------------------------------------------- where it listens


def free_port():
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("", True),
        ("   ", True),
        ("127.0.0.1", True),
        ("localhost", True),
        ("127.1", True),
        ("0.0.0.0", False),
        ("0", False),
    ],
)
def test_whoever_listens_beyond_this_machine_says_so(monkeypatch, capsys, host, loopback):
    heard = []

    def run(sockets):
        heard.extend(s.getsockname()[0] for s in sockets)
        for s in sockets:
            s.close()

    monkeypatch.setattr(serve, "_run", run)
    monkeypatch.setattr(serve, "ACCESS", Access())
    assert serve.serve([f"host={host}", f"port={free_port()}"]) == 0
    said = capsys.readouterr().out
    assert heard and all((a in ("127.0.0.1", "::1")) == loopback for a in heard)
    assert ("can play" in said) != loopback and serve.ACCESS.beyond != loopback


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["prot=1"], "did you mean port"),
        (["port=²"], "is no port"),
        (["port=" + "9" * 5000], "is no port"),
        (["open=perhaps"], "neither true nor false"),
        (["origin=example.org"], "is no address"),
        (["origin=https://example.org/page"], "is no address"),
        (["origin=*"], "is no address"),
        (["host=256.0.0.1.invalid"], "is no address of this machine"),
        (["host=203.0.113.7"], "cannot listen on 203.0.113.7"),
    ],
)
def test_what_makes_no_sense_is_said(arguments, says):
    with pytest.raises(ScenarioError, match=says):
        serve.serve(arguments)


def test_a_port_that_is_reserved_is_said():
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ScenarioError, match=r"cannot listen on 127\.0\.0\.1, port"):
            serve.serve([f"port={taken.getsockname()[1]}"])


def test_the_address_of_a_proxy_is_as_browsers_say_it():
    said = ["origin=https://Example.org:443/", "origin=http://example.org:80", "origin=http://example.org:81"]
    found = [serve.serve_settings([argument])["origin"] for argument in said]
    assert found == ["https://example.org", "http://example.org", "http://example.org:81"]


# ---------------------------------------------------------------- a server


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    found, log = free_port(), tmp_path_factory.mktemp("gate") / "log"
    command = [sys.executable, "-m", "sim", "page", f"port={found}"]
    with log.open("w") as out:
        server = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, env=os.environ)
    try:
        until(lambda: server.poll() is None and asked(found, "/readyz")[0] == 200)
        yield found
    finally:
        server.terminate()
        server.wait(60)
    said = log.read_text()
    assert f"The page is at http://127.0.0.1:{found}; Ctrl-C stops it" in said
    assert "Traceback" not in said and "ERROR" not in said, said[-3000:]


def asked(port, path, **headers):
    """(status, body) of a path."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def connected(port, name="127.0.0.1", **headers):
    """A WebSocket to the server under a name, whatever that leads to elsewhere."""
    where = f"ws://{name}:{port}/jupyter/api/kernels/{uuid.uuid4()}/channels?session_id={uuid.uuid4()}"
    line = socket.create_connection(("127.0.0.1", port))
    return connect(where, sock=line, additional_headers=headers, max_size=None, open_timeout=30)


@pytest.mark.parametrize("origin", [None, "http://127.0.0.1:{}", "http://localhost:{}", "HTTP://LOCALHOST:{}"])
def test_the_page_itself_connects(port, origin):
    with connected(port, **({} if origin is None else {"Origin": origin.format(port)})) as line:
        line.send(message("kernel_info_request"))
        assert "implementation" in json.dumps([line.recv(timeout=60) for _ in range(2)])


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("127.0.0.1", {"Origin": "http://evil.example"}),
        ("127.0.0.1", {"Origin": "null"}),
        ("evil.example", {}),
        ("evil.example", {"Origin": "http://127.0.0.1:{}"}),
        ("evil.example", {"Origin": "http://evil.example:{}"}),
        ("127.0.0.1", {"Origin": "http://evil.example", "X-Forwarded-Host": "evil.example"}),
        ("127.0.0.1", {"Origin": "https://127.0.0.1:{}", "X-Forwarded-Proto": "https"}),
    ],
)
def test_another_site_does_not_connect(port, name, headers):
    with pytest.raises(InvalidStatus) as refused:
        connected(port, name, **{name: value.format(port) for name, value in headers.items()})
    assert refused.value.response.status_code == 403 and b"This page" in refused.value.response.body


def test_another_site_does_not_frame_the_page(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
        assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]


def test_another_name_reads_nothing(port):
    assert asked(port, "/", Host="evil.example")[0] == 403
    assert asked(port, "/", Origin="http://evil.example")[0] == 403
    status, body = asked(port, "/", **{"X-Script-Name": "//evil.example", "X-Forwarded-Host": "evil.example"})
    assert status == 200 and b"evil.example" not in body + asked(port, "/")[1]


@pytest.mark.parametrize(
    "path",
    [
        "/resourcez",
        "/resourcez?verbose",
        "/nothing",
        "/static/public/x",
        "/jupyter/api/kernels/x",
        "/_solara/api/evict/x",
        "/_solara/cdn/@widgetti",
        "/_solara/cdn/vue@2/package.json",
        "/_solara/cdn/../../../../../../../../etc/passwd",
        "/static/../../../../../../../../../../etc/passwd",
        "/static/%2e%2e/%2e%2e/app.py",
        "/jupyter/nbextensions/..%2f..%2f..%2fetc/passwd",
    ],
)
def test_there_is_nothing_but_the_page(port, path):
    status, body = asked(port, path)
    assert status == 404 and b"root:" not in body


@pytest.mark.parametrize("sent", [text for text, _ in BAD.values()], ids=list(BAD))
def test_a_malformed_message_ends_its_own_connection_and_stalls_nobody(port, sent):
    with connected(port) as line:
        line.send(sent)
        assert asked(port, "/readyz")[0] == 200
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(20):
                line.recv(timeout=60)
        assert closed.value.rcvd.code in (1003, 1007, 1008, 1009)


def test_a_link_through_the_wire_reads_no_file_and_a_good_one_plays(port, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("hunter2 and more\n")
    filed = urlencode({"people": 300, "burn_in": 0, "network.kind": "file", "network.edges": str(secret)})
    with connected(port) as line:
        line.send(message(content={"comm_id": "c", "target_name": "solara.control", "data": {}}))
        run = {"path": f"/?{filed}", "appName": "__default__", "themes": {"light": {}, "dark": {}}, "dark": False}
        line.send(message("comm_msg", {"comm_id": "c", "data": {"method": "run", "args": run}}))
        heard, end = "", time.monotonic() + 120
        while "Toothpaste in Britain, week 0" not in heard and time.monotonic() < end:
            heard += str(line.recv(timeout=120))
        assert "this link cannot be restored: network.kind: a link names no file" in heard
        assert "hunter2" not in heard and "Toothpaste in Britain, week 0" in heard
