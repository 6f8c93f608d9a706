"""The control link: introspection, errors, and peers that do not behave, from a client of our own."""

import array
import json
import os
import socket

import pytest

LIMITS = {"request": 64 * 1024, "depth": 32}


class Client:
    def __init__(self, server):
        self.server = server
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(server.runtime / "control"))
        self.socket.setblocking(False)
        self.bytes = bytearray()
        self.closed = False

    def send(self, data, fds=()):
        if not isinstance(data, bytes):
            data = json.dumps(data).encode() + b"\0"
        control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            sent = self.socket.sendmsg([data], control)
        except BlockingIOError:
            sent = 0
        while sent < len(data):
            self.server.pump.wait(self.writable, "the broker to read")
            try:
                sent += self.socket.send(data[sent:])
            except BlockingIOError:
                pass
            except OSError:
                self.closed = True
                break
        return self

    def writable(self):
        import select
        return select.select([], [self.socket], [], 0)[1]

    def poll(self):
        try:
            while not self.closed:
                data = self.socket.recv(65536)
                if not data:
                    self.closed = True
                self.bytes += data
        except BlockingIOError:
            pass
        except ConnectionResetError:
            self.closed = True

    def receive(self):
        """The next message, or None when the broker has closed."""
        def there():
            self.poll()
            return self.closed or b"\0" in self.bytes
        self.server.pump.wait(there, "an answer")
        if b"\0" not in self.bytes:
            return None
        message, _, rest = bytes(self.bytes).partition(b"\0")
        self.bytes = bytearray(rest)
        return json.loads(message)

    def call(self, method, **parameters):
        return self.send({"method": method, "parameters": parameters}).receive()

    def close(self):
        self.socket.close()


@pytest.fixture
def client(server):
    server.detached()
    client = Client(server)
    yield client
    client.close()


def check_alive(client):
    """The broker still serves others, with the same process."""
    other = Client(client.server)
    answer = other.call("io.termserv.Control.ListSessions")
    other.close()
    assert [s["id"] for s in answer["parameters"]["sessions"]] == [1]


def test_get_info_names_the_product_and_the_interfaces(client):
    info = client.call("org.varlink.service.GetInfo")["parameters"]
    assert set(info) >= {"vendor", "product", "version", "url", "interfaces"}
    assert "io.termserv.Control" in info["interfaces"] and "org.varlink.service" in info["interfaces"]


def test_the_interfaces_describe_themselves(client):
    for name in ("io.termserv.Control", "org.varlink.service"):
        text = client.call("org.varlink.service.GetInterfaceDescription", interface=name)["parameters"]["description"]
        assert "interface %s\n" % name in text and "method " in text


@pytest.mark.parametrize("method,parameters,error,detail", [
    ("io.termserv.Control.Nonsense", {}, "org.varlink.service.MethodNotFound", "Nonsense"),
    ("io.example.Other.Method", {}, "org.varlink.service.InterfaceNotFound", "io.example.Other"),
    ("nodots", {}, "org.varlink.service.InterfaceNotFound", ""),
    ("org.varlink.service.GetInterfaceDescription", {"interface": "a.b"}, "org.varlink.service.InterfaceNotFound", "a.b"),
    ("org.varlink.service.GetInterfaceDescription", {}, "org.varlink.service.InvalidParameter", "interface"),
    ("io.termserv.Control.Connect", {"session": 12}, "org.varlink.service.InvalidParameter", "session"),
    ("io.termserv.Control.Reset", {}, "org.varlink.service.InvalidParameter", "session"),
    ("io.termserv.Control.Stop", {"force": "yes"}, "org.varlink.service.InvalidParameter", "force"),
    ("io.termserv.Control.ListSessions", {"filter": []}, "org.varlink.service.InvalidParameter", "filter"),
    ("io.termserv.Control.CreateSession", {}, "org.varlink.service.InvalidParameter", "proof"),
    ("io.termserv.Control.CreateSession", {"proof": 0}, "org.varlink.service.InvalidParameter", "proof"),
    ("io.termserv.Control.CreateSession", {"proof": -1}, "org.varlink.service.InvalidParameter", "proof"),
    ("io.termserv.Control.OpenTerminal", {"kind": "tty"}, "org.varlink.service.ExpectedMore", ""),
])
def test_wrong_calls_get_their_error(client, method, parameters, error, detail):
    answer = client.call(method, **parameters)
    assert answer["error"] == error, answer
    assert detail in json.dumps(answer["parameters"])
    check_alive(client)


def test_numbered_errors_carry_code_and_message(client):
    answer = client.call("io.termserv.Control.Reset", session="99")
    assert answer["error"] == "io.termserv.Control.SessionNotFound"
    assert answer["parameters"]["code"] == 7022 and answer["parameters"]["message"]


def test_unknown_members_are_ignored(client):
    answer = client.send({"method": "io.termserv.Control.GetCaller", "parameters": {"new": 1}, "later": True}).receive()
    assert answer["parameters"]["uid"] == os.getuid()


def test_oneway_calls_are_not_answered(client):
    client.send({"method": "io.termserv.Control.GetCaller", "oneway": True})
    assert "interfaces" in client.call("org.varlink.service.GetInfo")["parameters"]


def test_pipelined_calls_are_answered_in_order(client):
    names = ["org.varlink.service.GetInfo", "io.termserv.Control.GetCaller", "io.termserv.Control.ListSessions"] * 20
    client.send(b"".join(json.dumps({"method": n}).encode() + b"\0" for n in names))
    keys = {names[0]: "interfaces", names[1]: "uid", names[2]: "sessions"}
    for name in names:
        assert keys[name] in client.receive()["parameters"]


def test_a_message_in_single_bytes_is_understood(client):
    for byte in json.dumps({"method": "io.termserv.Control.GetCaller"}).encode() + b"\0":
        client.send(bytes([byte]))
    assert client.receive()["parameters"]["uid"] == os.getuid()


def deep(depth):
    return b'{"method":"io.termserv.Control.GetCaller","parameters":{"x":' + b"[" * depth + b"]" * depth + b"}}\0"


BAD = {
    "not json": b"hello\0",
    "empty": b"\0",
    "an array": b"[]\0",
    "a number": b"1\0",
    "cut short": b'{"method":"io.termserv.Control.GetCaller"\0',
    "twice the same key": b'{"method":"io.termserv.Control.GetCaller","method":"io.termserv.Control.Stop"}\0',
    "twice the same key inside": b'{"method":"io.termserv.Control.Stop","parameters":{"force":false,"force":true}}\0',
    "too deep": deep(40),
    "much too deep": deep(30000),
    "too large": b'{"method":"' + b"x" * (LIMITS["request"] + 10) + b'"}\0',
    "too large without an end": b"x" * (LIMITS["request"] * 2),
    "not utf-8": b'{"method":"\xff\xfe"}\0',
    "no method": b"{}\0",
    "method is a number": b'{"method":1}\0',
    "trailing garbage": b'{"method":"io.termserv.Control.GetCaller"} x\0',
    "parameters is a text": b'{"method":"io.termserv.Control.GetCaller","parameters":"x"}\0',
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_message_costs_its_peer_the_connection_and_nobody_else(client, name):
    broker = client.server.need("termserv-broker").pid
    client.send(BAD[name])
    answer = client.receive()
    if answer is not None:
        assert "error" in answer, answer
        assert name in ("no method", "method is a number", "parameters is a text"), answer
    check_alive(client)
    assert client.server.need("termserv-broker").pid == broker


def test_descriptors_that_nobody_asked_for_are_closed(client):
    broker = client.server.need("termserv-broker")
    client.call("io.termserv.Control.GetCaller")  # from here on the broker has accepted this connection
    before = len(broker.descriptors())
    for _ in range(50):
        read, write = os.pipe()
        client.send({"method": "io.termserv.Control.GetCaller"}, fds=[read, write])
        os.close(read)
        os.close(write)
        client.receive()
    client.server.pump.wait(lambda: len(broker.descriptors()) <= before, "the broker to close foreign descriptors")


def test_many_connections_of_one_user_are_limited_and_freed(client):
    broker = client.server.need("termserv-broker")
    client.call("io.termserv.Control.GetCaller")  # from here on the broker has accepted this connection
    before = len(broker.descriptors())
    many = []
    for _ in range(600):
        try:
            many.append(Client(client.server))
        except OSError:
            break
    for other in many:
        other.close()
    client.server.pump.wait(lambda: len(broker.descriptors()) <= before + 1, "the connections to be freed")
    check_alive(client)


def test_a_peer_that_never_reads_is_dropped_or_waits_alone(client):
    call = json.dumps({"method": "org.varlink.service.GetInterfaceDescription",
                       "parameters": {"interface": "io.termserv.Control"}}).encode() + b"\0"
    import select
    for _ in range(4000):
        if not select.select([], [client.socket], [], 0)[1]:
            break
        try:
            client.socket.send(call)
        except OSError:
            break
    check_alive(client)


def test_a_half_message_holds_nobody_up(client):
    client.send(b'{"method":"io.term')
    check_alive(client)


def test_call_prints_the_answer_as_json(server):
    server.detached()
    result = server.run(["termserv", "call", "io.termserv.Control.ListSessions", "{}"])
    assert result.status == 0 and [s["id"] for s in json.loads(result.out)["sessions"]] == [1]
    result = server.run(["termserv", "call", "org.varlink.service.GetInfo"])
    assert result.status == 0 and "interfaces" in json.loads(result.out)


@pytest.mark.parametrize("method,parameters,status", [
    ("io.termserv.Control.Reset", '{"session":"99"}', 1), ("io.termserv.Control.Nonsense", "{}", 1),
    ("io.termserv.Control.Reset", "{", 2), ("io.termserv.Control.Reset", "[]", 2),
])
def test_call_tells_errors_apart(server, method, parameters, status):
    server.detached()
    result = server.run(["termserv", "call", method, parameters])
    assert result.status == status and result.err != "", result


def test_watch_sends_the_list_again_after_each_change(client):
    client.send({"method": "io.termserv.Control.ListSessions", "parameters": {"watch": True}, "more": True})
    assert [s["id"] for s in client.receive()["parameters"]["sessions"]] == [1]
    client.server.detached()
    while True:
        answer = client.receive()
        assert answer["continues"] is True
        if [s["id"] for s in answer["parameters"]["sessions"]] == [1, 2]:
            break
