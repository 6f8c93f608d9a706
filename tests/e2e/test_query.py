"""query session, query user: the columns to the byte, the filters, --json; and hostile text in every field."""

import json
import os
import pwd
import re
import time

import pytest

from server import PROMPT, error_code
from terminal import LIMIT

USER = pwd.getpwuid(os.getuid()).pw_name
SESSION_HEADER = " SESSIONNAME       USERNAME                 ID  STATE   TYPE        DEVICE"
USER_HEADER = " USERNAME              SESSIONNAME        ID  STATE   IDLE TIME  LOGON TIME"
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def session_row(mark, name, user, number, state, kind, device=""):
    """Semantics 4.3, column by column."""
    line = "%s%-18s%-22s%5s  %-8s%-12s%s" % (mark, name, user, number, state, kind, device)
    return line.rstrip()


def rows(result):
    assert result.status == 0 and result.err == "", result
    assert result.out.endswith("\n")
    lines = result.out.splitlines()
    assert all(line == line.rstrip() for line in lines), "blanks at the end of a line"
    return lines


def test_query_session_has_exactly_these_columns(server):
    here = server.logon_fixed("TERM01")
    there = server.logon()
    third = server.detached()
    lines = rows(server.run("query session", in_terminal=here))
    assert lines[0] == SESSION_HEADER
    device = server.session(here.session)["device"] or ""
    assert lines[1] == session_row(">", "TERM01", USER, here.session, "Active", "pty", device)
    assert lines[2] == session_row(" ", there.name, USER, there.session, "Active", "pty")
    assert lines[3] == session_row(" ", "", USER, third, "Disc", "pty")
    assert len(lines) == 4


@pytest.mark.parametrize("command", ["query session", "qwinsta", "termserv query session", "QUERY SESSION", "query SESSION"])
def test_every_name_of_query_session(server, command):
    if command.startswith("QUERY"):
        command = "query Session"
    server.detached()
    assert rows(server.run(command))[1] == session_row(" ", "", USER, 1, "Disc", "pty")


def test_long_names_are_cut_so_that_columns_stay(server):
    name = "T" + "x" * 30
    server.logon_fixed(name)
    lines = rows(server.run("query session"))
    assert lines[1][1:19] == name[:17] + " "
    assert lines[1][41:46] == "    1" and lines[1][48:54] == "Active"


def test_no_session_at_all(server):
    result = server.run("query session")
    assert result.status in (0, 1)
    assert PROMPT not in result.out
    assert "1" not in result.out


@pytest.mark.parametrize("argument,found", [
    ("1", [1]), ("TERM05", [2]), ("term05", [2]), (USER, [1, 2, 3]), ("3", [3]), ("", [1, 2, 3]),
])
def test_query_session_takes_an_id_a_name_or_a_user(server, argument, found):
    server.logon_fixed("TERM01")
    server.logon_fixed("TERM05")
    server.detached()
    lines = rows(server.run("query session %s" % argument))
    assert [int(line[41:46]) for line in lines[1:]] == found


@pytest.mark.parametrize("argument", ["99", "NOPE", "nosuchuser", "TERM"])
def test_query_of_what_is_not_there(server, argument):
    server.detached()
    result = server.run("query session %s" % argument)
    assert (result.status, result.out) == (1, "")
    assert argument in result.err and result.err.startswith("No session exists for")
    result = server.run("query user %s" % argument)
    assert (result.status, result.out) == (1, "")
    assert argument in result.err and result.err.startswith("No User exists for")


def test_query_user_of_an_empty_server(server):
    result = server.run("query user")
    assert result == (1, "", "No User exists for *\n")


@pytest.mark.parametrize("option", ["/mode", "/flow", "/connect"])
def test_settings_of_serial_lines_are_accepted(server, option):
    server.detached()
    result = server.run("query session %s" % option)
    assert result.status == 0 and result.out.startswith(SESSION_HEADER)


def test_counter_tells_how_often(server):
    t = server.logon()
    server.disconnect(t.session)
    server.connect(t.session)
    server.detached()
    text = server.run("query session /counter").out
    counters = dict(re.findall(r"^\s*([A-Za-z ]+?)\s*[:=]?\s+(\d+)$", text.split("DEVICE", 1)[1].split("\n\n")[-1], re.M))
    values = {word: int(value) for name, value in counters.items() for word in name.lower().split()}
    assert (values["created"], values["disconnected"], values["reconnected"]) == (2, 1, 1), text


def test_query_user_has_exactly_these_columns(server):
    here = server.logon_fixed("TERM01")
    third = server.detached()
    lines = rows(server.run("query user", in_terminal=here))
    assert lines[0] == USER_HEADER
    assert len(lines) == 3
    first, second = lines[1:]
    assert first[:23] == ">" + "%-22s" % USER
    assert first[23:40].rstrip() == "TERM01" and first[40:44] == "%4d" % here.session
    assert first[46:54] == "Active  " and first[54:63] == "%9s" % "." and first[63:65] == "  "
    assert first[65:].strip() and first[65] != " "
    assert second[:23] == " " + "%-22s" % USER and second[23:40].strip() == ""
    assert second[40:44] == "%4d" % third and second[46:54] == "Disc    "


def test_query_user_shows_only_who_is_logged_on(server):
    fixed = server.logon_fixed("TERM03")
    server.connect(fixed.session)
    server.pump.wait(lambda: any(s["state"] == "Conn" for s in server.sessions()), "TERM03 to wait for a logon")
    assert "TERM03" in server.run("query session").out
    assert "TERM03" not in server.run("query user").out


@pytest.mark.parametrize("command", ["quser", "query user", "termserv query user"])
def test_every_name_of_query_user(server, command):
    server.detached()
    assert rows(server.run(command))[0] == USER_HEADER


def test_idle_time_comes_from_input_and_not_from_output(server):
    t = server.logon("sh -c 'echo up; cat'").wait_for("up")
    before = server.session(t.session)["lastInput"]
    t.line("typed").wait_for("typed\ntyped")
    server.pump.wait(lambda: server.session(t.session)["lastInput"] != before, "the time of the last input to change")
    noisy = server.detached(["sh", "-c", "seq 1 1000; printf '\\033]2;counted\\007'; exec cat"])
    server.pump.wait(lambda: server.session(noisy)["title"] == "counted", "output")
    assert server.session(noisy)["lastInput"] is None and server.session(noisy)["idle"] is None


def test_history_of_a_session_that_no_terminal_shows_is_counted(server):
    number = server.detached("sh -c 'seq 1 1000; exec cat'")
    server.pump.wait(lambda: server.session(number)["historyLines"] == 977, "the lines to be counted")
    assert server.session(number)["modelBytes"] > 1000


def test_watch_prints_the_list_again_after_each_change(server):
    server.detached()
    t = server.terminal("query session --watch", rows=50).wait_for(session_row(" ", "", USER, 1, "Disc", "pty"))
    server.detached()
    t.wait_for(session_row(" ", "", USER, 2, "Disc", "pty"))
    t.type("\x03")
    assert t.wait_exit() != 0


# --- json ----------------------------------------------------------------------------------------

FIELDS = {
    "id": (int, type(None)), "name": (str, type(None)), "user": (str, type(None)), "uid": int, "state": str,
    "current": bool, "type": str, "device": (str, type(None)), "rows": int, "columns": int, "command": str, "title": str,
    "tty": (str, type(None)), "pid": (int, type(None)), "idle": (int, type(None)), "clientAddress": (str, type(None)),
    "term": (str, type(None)), "modelBytes": int, "historyLines": int,
}
TIMES = ["created", "connected", "disconnected", "lastInput"]


def test_json_has_a_version_and_typed_fields(server):
    here = server.logon_fixed("TERM01", command="", rows=33, columns=101)
    server.detached("sleep 1000")
    answer = json.loads(server.run("query session --json", in_terminal=here).out)
    assert answer["version"] == 1
    first, second = answer["sessions"]
    for session in (first, second):
        for name, kind in FIELDS.items():
            assert isinstance(session[name], kind), (name, session[name])
        for name in TIMES:
            assert session[name] is None or RFC3339.fullmatch(session[name]), (name, session[name])
        assert session["created"] is not None
    assert (first["current"], second["current"]) == (True, False)
    assert (first["rows"], first["columns"], first["name"], first["term"]) == (33, 101, "TERM01", "xterm-256color")
    assert first["connected"] is not None and first["disconnected"] is None
    assert (second["name"], second["connected"], second["command"]) == (None, None, "sleep 1000")
    assert second["modelBytes"] >= 0


def test_json_times_are_the_servers_clock(server):
    before = int(time.time())
    server.detached()
    created = server.sessions()[0]["created"]
    from datetime import datetime
    assert before - 1 <= datetime.fromisoformat(created.replace("Z", "+00:00")).timestamp() <= time.time() + 1


@pytest.mark.parametrize("command", ["query session --json", "query user --json", "qwinsta --json", "quser --json",
                                     "query session /json"])
def test_json_on_every_query(server, command):
    server.detached()
    answer = json.loads(server.run(command).out)
    assert answer["version"] == 1 and [s["id"] for s in answer["sessions"]] == [1]


def test_json_of_nothing_is_an_empty_list(server):
    answer = json.loads(server.run("query session --json").out)
    assert answer["version"] == 1 and answer["sessions"] == []


def test_the_title_is_in_json(server):
    number = server.detached("""sh -c 'printf "\\033]2;a fine title\\007"; cat'""")
    server.pump.wait(lambda: server.session(number)["title"] == "a fine title", "the title")


def test_json_keeps_text_that_is_not_ascii(server):
    server.detached(["sh", "-c", "cat", "täglich", "日本"])
    session = server.sessions()[0]
    assert "täglich" in session["command"] and "日本" in session["command"]


# --- hostile text --------------------------------------------------------------------------------

HOSTILE = [
    b"\x1b[31mred", b"\x1b]2;owned\x07", b"\x1b]52;c;AAAA\x07", b"\x9b31mred", b"\xc2\x9b31mred", b"\xc2\x9d2;x\xc2\x9c",
    b"\xff\xfe\xfd", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\rb", b"a\bb", b"a\tb", b"a\nb 99 Active", b"\x7f",
    "\u202etxt.exe".encode(), "\u2066a\u2069".encode(), "\u200e\u200f\u061c".encode(), "\u2028\u2029".encode(),
    "\u200b\u200d\ufeff".encode(), b"\x1bP$q\x1b\\", b"\x1b[6n", b"%s%n%x", b"$(id)`id`",
]
BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def check_harmless(data, what):
    """Rule 5: no control character but newline, no C1, no bidirectional control, nothing that is not UTF-8."""
    text = data.encode("utf-8", "surrogateescape").decode("utf-8") if isinstance(data, str) else data.decode("utf-8")
    bad = [c for c in text if (ord(c) < 0x20 and c != "\n") or 0x7f <= ord(c) <= 0x9f or c in BIDI]
    assert bad == [], "%s holds %r: %r" % (what, bad, text)


def outputs(server):
    """Every output that lists what sessions say about themselves."""
    commands = ["query session", "query user", "query session --json", "query user --json", "query session /counter",
                "query session 1", "termserv call io.termserv.Control.ListSessions {}"]
    return {command: server.run(["sh", "-c", command]) for command in commands}


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_hostile_text_in_arguments_and_title_reaches_no_output(server, text):
    clean = text.replace(b"\n", b"").replace(b"\0", b"")
    program = server.base / "speak"
    program.write_bytes(b"#!/bin/sh\nprintf '\\033]2;'; cat \"$0.title\"; printf '\\033\\\\'; echo up; exec cat\n")
    program.chmod(0o755)
    (server.base / "speak.title").write_bytes(clean)
    env = server.environment()
    result = server.run([os.fsencode(w) if isinstance(w, str) else w for w in
                         ("termserv", "logon", "--detached", "--", str(program), text)], env=env)
    if result.status != 0:
        check_harmless(result.err, "the refusal")
        pytest.skip("an argument like this is refused")
    server.pump.wait(lambda: server.session(1) is not None, "the session")
    for command, result in outputs(server).items():
        assert result.status == 0, (command, result)
        check_harmless(result.out, command)
        check_harmless(result.err, command)
        if "--json" not in command and "call" not in command and "/counter" not in command:
            assert len(result.out.splitlines()) == 2, (command, result)


@pytest.mark.parametrize("command", [
    ["connect"], ["connect", "1", "/dest:%s"], ["disconn"], ["logoff"], ["query", "session"], ["query", "user"], ["query"],
    ["termserv", "reset", "session"], ["termserv"], ["termserv", "logon", "--detached", "--size"], ["termserv", "logon", "--terminal"],
    ["termserv", "call"], ["termserv", "call", "io.termserv.Control.Connect"], ["connect", "1", "/server:%s"],
    ["termserv", "--runtime-dir"],
], ids=" ".join)
def test_hostile_arguments_are_harmless_in_errors(server, command):
    server.detached()
    for text in HOSTILE:
        words = [w.encode().replace(b"%s", text) for w in command]
        if not any(b"%s" in w.encode() for w in command):
            words.append(text)
        result = server.run([str(server.programs / command[0]).encode()] + words[1:])
        assert result.status in (1, 2), (text, result)
        check_harmless(result.out, words)
        check_harmless(result.err, words)
        assert result.err != ""


@pytest.mark.parametrize("text", [b"\x1b[31mred", b"\xc2\x9b31m", b"\xff", "\u202e".encode(), b"x" * 500, b""], ids=repr)
def test_a_hostile_terminal_type_reaches_no_output(server, text):
    env = {os.fsencode(k): os.fsencode(v) for k, v in server.environment().items()}
    env[b"TERM"] = text
    t = server.terminal("termserv logon --new -- sh -c 'echo up; cat'", env=env)
    server.pump.wait(lambda: not t.running or "up" in t.screen(), "the session, or a refusal")
    for command, result in outputs(server).items():
        check_harmless(result.out, command)
        check_harmless(result.err, command)


def test_a_hostile_terminal_type_is_answered_at_once(server):
    env = {os.fsencode(k): os.fsencode(v) for k, v in server.environment().items()}
    env[b"TERM"] = b"\xff"
    started = time.monotonic()
    t = server.terminal("termserv logon --new -- sh -c 'echo up; cat'", env=env)
    server.pump.wait(lambda: not t.running or "up" in t.screen(), "the session, or a refusal")
    assert time.monotonic() - started < LIMIT / 2, t.report()


def test_notices_at_the_door_hold_no_hostile_text(server):
    mine = server.logon(["sh"][0] + " -c 'printf \"\\033]2;\\033[31mevil\\007up\"; cat'").wait_for("up")
    start = len(mine.raw)
    server.connect(mine.session).wait_for("up")
    mine.wait_exit()
    tail = bytes(mine.raw[start:])
    notice = re.sub(rb"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[ -/]*[0-~])", b"", tail)
    notice = notice.translate(None, b"\r\x18\x0f")  # CAN and SI of the reset
    assert str(mine.session).encode() in notice
    check_harmless(notice, "the notice")
    assert b"evil" not in notice


def test_ids_and_codes_are_never_guessed_from_a_title(server):
    """A title that looks like a row of the table adds no row."""
    number = server.detached("""sh -c 'printf "\\033]2;\\n>TERM99  root  99  Active\\007"; cat'""")
    assert len(rows(server.run("query session"))) == 2
    assert error_code(server.run("disconn TERM99")) == 7022
    assert server.ids() == [number]
