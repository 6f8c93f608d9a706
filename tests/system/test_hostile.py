"""Hostile text in every field, by every way in: no output of any command, record or log carries it on."""

import json
import os
import re
import unicodedata

import pytest

import control
import wire
from server import PROMPT
from system_server import LOGIN, LOGS, USUAL

# C0 with an escape sequence in it, DEL, C1 in both forms, bidirectional and invisible controls, a line's end, invalid UTF-8.
HOSTILE = ["\x1b]0;owned\x07", "\x1b[2J\x1b[31m", "a\nb", "a\rb", "\x00"[:0] + "\x01\x08\x7f", "\u0085\u009b31m", "\u202eevil\u202c",
           "\u2066x\u2069", "\u200e\u200f\u061c", "\u2028\u2029", "tab\there"]
BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")


def harmful(text, newlines=True):
    """The characters that no output may hold."""
    found = {c for c in text if (unicodedata.category(c) == "Cc" and not (c == "\n" and newlines)) or c in BIDI}
    return found | {c for c in text if 0xdc80 <= ord(c) <= 0xdcff}  # bytes that were no UTF-8


def every_output(server, person):
    """What each command that lists prints, and what lies in the log and the records."""
    for command in ("query session", "query user", "query session --json", "query user --json", "query session /v", "query session /mode",
                    "query session /counter", "query audit", "query audit --json", "query permission --json", "connect 4711 /dest:NOPE"):
        result = person.run("termserv " + command)
        yield command, result.out + result.err
    for session in person.sessions():
        if session["id"] is not None:
            result = person.run("termserv query session %d --json" % session["id"])
            yield "query session ID", result.out + result.err
    yield "log", server.log()
    for path in LOGS.iterdir():
        yield str(path), path.read_bytes().decode("utf-8", "surrogateescape")


def assert_clean(server):
    for person in (server.root, server.alice):
        for where, text in every_output(server, person):
            assert not harmful(text), "%s: %r holds %r" % (where, text[-600:], harmful(text))


def test_titles_are_made_harmless(server):
    number = server.alice.detached(["sh", "-c", r"printf '\033]0;%s\007' " + "'%s'" % "".join(
        t for t in HOSTILE if "\x07" not in t and "\x1b" not in t and "\n" not in t) + "; cat"])
    server.pump.wait(lambda: server.root.session(number)["title"], "a title")
    assert_clean(server)


@pytest.mark.parametrize("text", HOSTILE)
def test_commands_are_made_harmless(server, text):
    server.alice.detached(["sh", "-c", "cat # " + text, text])
    assert_clean(server)


@pytest.mark.parametrize("raw", [b"\x9b31m", b"\xff\xfe", b"\xc2", b"\xe2\x80\xae"])
def test_commands_that_are_no_text_are_made_harmless(server, raw):
    server.alice.detached(["sh", "-c", "cat", os.fsdecode(raw)])
    assert_clean(server)


@pytest.mark.parametrize("field", ["client", "device", "term", "kind", "name"])
@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_door_says_of_its_terminal_is_made_harmless(server, field, text):
    server.alice.detached()
    link, answer = control.open_terminal(server.alice.uid, **{field: text})
    assert_clean(server)
    if "error" in answer:
        assert not harmful(answer["parameters"]["message"])
    else:
        assert not harmful(answer["parameters"]["terminal"])
    link.close()


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("method", ["Connect", "Disconnect", "Logoff", "Reset"])
def test_arguments_of_methods_come_back_harmless(server, method, text):
    server.alice.detached()
    link = control.Control(server.alice.uid)
    more = {"destination": text} if method == "Connect" else {}
    answer = link.call(method, session=text, **more)
    assert answer["error"] and not harmful(str(answer["parameters"]["message"]))
    assert_clean(server)
    link.close()


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("command", ["connect %s /dest:TERM01", "connect 1 /dest:%s", "disconn %s", "logoff %s", "reset session %s",
                                     "query session %s", "query user %s", "%s", "connect --password-fd %s 1"])
def test_arguments_of_commands_come_back_harmless(server, command, text):
    server.alice.detached()
    words = [word.replace("%s", text) for word in ("termserv " + command).split(" ")]
    result = server.alice.run(words)
    assert result.status != 0 and not harmful(result.out + result.err), result
    assert_clean(server)


@pytest.mark.parametrize("text", [t for t in HOSTILE if "\n" not in t and "\r" not in t])
def test_a_name_that_is_typed_at_a_login_comes_back_harmless(server, text):
    """Through the method: the login itself has a line discipline before it."""
    terminal_uid = server.person("termserv-tty").uid
    link, asked = control.create_session(terminal_uid, user=text[:60])
    link.receive()
    assert_clean(server)
    asked.close()
    link.close()
    terminal = server.person("termserv-tty").login_terminal("TERM07")
    terminal.line(text).wait_for(re.compile("[Pp]assword"))
    terminal.line("wrong")
    terminal.wait_until(lambda t: len(LOGIN.findall(t.screen())) > 1 or "TERM07" in t.screen(), "the next prompt")
    assert_clean(server)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_notice_to_who_loses_a_session_is_harmless(server, text):
    """It names the terminal and the address that the new terminal's door has claimed."""
    first = server.alice.logon()
    before = len(first.raw)
    env = server.alice.environment(SSH_CONNECTION="%s 1 127.0.0.1 22" % text, SSH_CLIENT="%s 1 22" % text, SSH_TTY=text)
    server.alice.connect(first.session, env=env).wait_for(PROMPT)
    first.wait_for(re.compile("was connected"))
    notice = [line for line in first.raw[before:].decode("utf-8", "surrogateescape").split("\n") if "was connected" in line][-1]
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][0-9A-B]|\r", "", notice)  # what the painter sends by itself
    assert not harmful(plain), notice
    assert_clean(server)


@pytest.mark.parametrize("text", ["\x1b[31m", "\u202e", "\x85", "= =", "[", "*" * 5000])
def test_a_hostile_configuration_is_reported_harmlessly(server, text):
    server.reload(USUAL + "[rights]\n%s = %s\n[%s]\nx = %s\n" % ((text,) * 4))
    server.pump.wait(lambda: re.search(r"termserv\.conf:\d+", server.log()), "a line about the configuration")
    result = server.root.run("termserv check-config")
    assert result.status == 1
    assert not harmful(result.out + result.err) and not harmful(server.log())


def test_json_is_json_whatever_it_holds(server):
    server.alice.detached(["sh", "-c", "cat", "\"},{\\", "\x1b\"", "\u202e"])
    for command in ("query session --json", "query user --json"):
        json.loads(server.root.run("termserv " + command).out)
    assert server.audit()


def test_the_cable_takes_no_hostile_words_of_its_own(server):
    """A name for a terminal in a warrant is compared and never shown."""
    assert len(wire.warrant(wire.USE_CONNECT, "1", terminal="\x1b[2J")) == 152
    number = server.alice.detached()
    link = control.Control(server.bob.uid)
    mine, theirs = wire.pair_of(server.bob.uid)
    wire.send(mine, wire.warrant(wire.USE_CONNECT, "\x1b[2J", terminal="\x1b[2J", destination=wire.TO_NAMED))
    code = link.code("Connect", fds=[theirs.fileno()], session=str(number), destination="TERM05", warrant=0, password=True)
    assert code != 0
    assert_clean(server)
    link.close()
