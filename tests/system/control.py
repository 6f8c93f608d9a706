"""The control link as any program could speak it, as one uid: for what no command of ours would send."""

import json
import os
import socket

import wire
from system_server import RUNTIME
from terminal import LIMIT

INTERFACE = "io.termserv.Control."


class Control:
    def __init__(self, uid, path=RUNTIME / "control"):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(LIMIT)
        with wire.as_uid(uid):
            self.socket.connect(str(path))
        self.bytes = bytearray()

    def send(self, method, fds=(), more=False, **parameters):
        request = {"method": INTERFACE + method, "parameters": parameters}
        if more:
            request["more"] = True
        wire.send(self.socket, json.dumps(request).encode() + b"\0", fds)
        return self

    def receive(self):
        """The next message, or None when the broker has closed."""
        while b"\0" not in self.bytes:
            data = self.socket.recv(65536)
            if data == b"":
                return None
            self.bytes += data
        message, _, rest = bytes(self.bytes).partition(b"\0")
        self.bytes = bytearray(rest)
        return json.loads(message)

    def call(self, method, fds=(), more=False, **parameters):
        return self.send(method, fds, more, **parameters).receive()

    def code(self, method, fds=(), more=False, **parameters):
        """0, or the number of the error."""
        answer = self.call(method, fds, more, **parameters)
        return answer["parameters"]["code"] if "error" in answer else 0

    def close(self):
        self.socket.close()


def open_terminal(uid, **parameters):
    """A door that registers a terminal and keeps it: the connection and its first answer."""
    usual = dict(kind="tty", term="xterm", rows=24, columns=80)
    link = Control(uid)
    return link, link.call("OpenTerminal", more=True, **dict(usual, **parameters))


def create_session(uid, user="", arguments=("cat",), **parameters):
    """CreateSession as this uid: the connection, its answer to come, and the end at which a password is asked for."""
    mine, proof = wire.pair_of(uid)
    spec = wire.spec(arguments)
    wire.send(mine, wire.warrant(wire.USE_LOGON, user=user), [spec])
    os.close(spec)
    if user:
        parameters["user"] = user
    link = Control(uid).send("CreateSession", fds=[proof.fileno()], proof=0, **parameters)
    proof.close()
    mine.settimeout(LIMIT)
    return link, mine
