"""What a person meets at the screen: bytes unchanged, modes brought and undone, the detach key, slow and poor terminals."""

import os
import re
import signal
import socket
import sys
import time

import pytest

from emulator import Emulator
from server import PROGRAMS, PROMPT, PYTHON

sys.path.insert(0, str(PROGRAMS))
from stream import stream  # noqa: E402

KEY = "\x1d"  # Ctrl-]


def program(name, *arguments):
    return [PYTHON, "-S", "-E", str(PROGRAMS / name), *map(str, arguments)]


def logon(server, argv, **more):
    return server.terminal(["termserv", "logon", "--new", "--", *argv], **more)


def detached(server, argv):
    result = server.run(["termserv", "logon", "--detached", "--", *argv])
    assert result.status == 0, result
    return int(result.out)


def configure(server, text):
    folder = server.home / ".config" / "termserv"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "termserv.conf").write_text(text)


# --- bytes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_programs_bytes_reach_the_terminal_unchanged(server, seed):
    t = logon(server, program("stream.py", seed, 30000), answers=False, emulate=False).wait_raw(b"go?")
    t.type("x").wait_raw(b":done:")
    assert stream(seed, 30000) + b"\x1b[0m:done:" in t.raw


def test_the_programs_bytes_are_unchanged_after_a_reconnect(server):
    first = logon(server, program("stream.py", 5, 30000), answers=False).wait_for("go?")
    first.close()
    server.wait_state(1, "Disc")
    t = server.connect(1, answers=False, emulate=False).wait_raw(b"go?")
    t.type("x").wait_raw(b":done:")
    assert stream(5, 30000) in t.raw


def test_a_terminal_without_colorterm_gets_the_programs_bytes_too(server):
    """As over ssh, which does not take that variable along."""
    env = server.environment(COLORTERM=None)
    t = logon(server, program("stream.py", 6, 30000), env=env, answers=False, emulate=False).wait_raw(b"go?")
    t.type("x").wait_raw(b":done:")
    assert stream(6, 30000) in t.raw


def test_typed_bytes_reach_the_program_unchanged(server):
    t = logon(server, program("keys.py")).wait_for("keys:")
    typed = bytes(b for b in range(256) if b not in (0x1d, ord("q"))) + b"\x1b[A\x1bOP\x1b[200~paste\x1b[201~"
    t.type(typed)
    expected = b"".join(b"<%02x>\r\n" % b for b in typed)
    t.wait_raw(expected)
    assert bytes(t.raw).count(b"<00>") == 1


def test_a_large_paste_loses_no_byte(server):
    target = server.base / "pasted"
    t = logon(server, ["sh", "-c", "stty raw -echo; echo up; head -c 300000 >%s.new; mv %s.new %s; echo kept" %
                       (target, target, target)]).wait_for("up")
    data = b"".join(b"%07d\n" % n for n in range(300000 // 8))
    t.type(data).wait_for("kept")
    assert target.read_bytes() == data


@pytest.mark.parametrize("first,second,expected", [
    ("\x1b[3", "1mred", "red"), ("\x1b]2;tit", "le\x07text", "text"), ("\x1b", "[31mred", "red"),
    ("日".encode()[:1], "日".encode()[1:] + b"x", "日x"), ("\x1bP1;2|abc", "def\x1b\\text", "text"), ("\x1b[?2004", "htext", "text"),
], ids=repr)
def test_a_terminal_that_comes_in_the_middle_of_a_sequence_sees_no_piece_of_it(server, first, second, expected):
    pieces = [p.encode() if isinstance(p, str) else p for p in (b"|" + (first.encode() if isinstance(first, str) else first), second)]
    number = detached(server, program("show.py", *(p.hex() for p in pieces)))
    server.pump.wait(lambda: server.session(number)["pid"], "the program")
    t = server.connect(number).wait_for("|")
    t.type("k").wait_for(expected)
    assert t.emulator.text(0) == "|" + expected


# --- history and picture ---------------------------------------------------------------------------


def numbers(lines):
    return [int(line) for line in lines if line.isdigit()]


def counted(server, last):
    """A session that has printed its lines, and said so in its title."""
    number = detached(server, ["sh", "-c", "seq 1 %d; printf '\\033]2;counted\\007'; exec cat" % last])
    server.pump.wait(lambda: server.session(number)["title"] == "counted", "the lines")
    return number


@pytest.mark.parametrize("setting,first", [(None, 478), ("history-lines = 10", 968), ("history-lines = 0", 978),
                                           ("history-lines = 100000", 1)])
def test_history_goes_to_the_terminals_own_scrollback(server, setting, first):
    if setting:
        configure(server, "[terminal]\n%s\n" % setting)
    number = counted(server, 1000)
    t = server.connect(number).wait_for("\n1000")
    assert numbers(t.emulator.everything()) == list(range(first, 1001))
    assert numbers(t.emulator.lines_text()) == list(range(978, 1001))
    t.line("typed").wait_for("typed\ntyped")
    assert numbers(t.emulator.everything()) == list(range(first, 1001))


def test_history_is_not_doubled_by_a_second_connect(server):
    number = counted(server, 100)
    for _ in range(3):
        t = server.connect(number).wait_for("\n100")
        assert numbers(t.emulator.everything()) == list(range(1, 101))
        t.close()
        server.wait_state(number, "Disc")


# --- modes ---------------------------------------------------------------------------------------

MODES = {
    "mouse clicks": "\x1b[?1000h", "mouse drag, sgr": "\x1b[?1002h\x1b[?1006h", "any mouse, pixels": "\x1b[?1003h\x1b[?1016h",
    "focus": "\x1b[?1004h", "bracketed paste": "\x1b[?2004h", "cursor keys": "\x1b[?1h", "keypad": "\x1b=",
    "hidden cursor": "\x1b[?25l", "bar cursor": "\x1b[5 q", "steady underline": "\x1b[4 q", "insert": "\x1b[4h",
    "no wrap": "\x1b[?7l", "reverse video": "\x1b[?5h", "margins": "\x1b[5;15r", "origin": "\x1b[5;15r\x1b[?6h",
    "alternate screen": "\x1b[?1049h", "kitty keys": "\x1b[>1u", "kitty keys, two": "\x1b[>1u\x1b[>5u",
    "modifyOtherKeys": "\x1b[>4;2m", "palette": "\x1b]4;1;rgb:12/34/56\x07", "foreground": "\x1b]10;#abcdef\x07",
    "background": "\x1b]11;rgb:0101/0202/0303\x1b\\", "cursor colour": "\x1b]12;#ff0000\x07", "graphics": "\x1b(0",
    "graphics in g1": "\x1b)0\x0e", "pen": "\x1b[1;3;38;2;1;2;3;48;5;99m", "curly pen": "\x1b[4:3m\x1b[58:5:9m",
    "alternate scroll": "\x1b[?1007h", "colour scheme reports": "\x1b[?2031h", "in-band resize": "\x1b[?2048h",
    "all of vim": "\x1b[?1049h\x1b[22;0;0t\x1b[>4;2m\x1b[?1h\x1b=\x1b[?2004h\x1b[?1004h\x1b[1;24r\x1b[?12h\x1b[2 q\x1b[?1006;1002h",
}


@pytest.mark.parametrize("name", MODES)
def test_modes_are_brought_on_connect_and_undone_on_leaving(server, name):
    wanted = Emulator(24, 80)
    wanted.feed(MODES[name].encode() + b"x")
    assert wanted.lasting() != {}
    number = detached(server, program("show.py", (MODES[name] + "x").encode().hex()))
    server.pump.wait(lambda: server.session(number)["pid"], "the program")
    t = server.connect(number, answers=False)
    t.wait_until(lambda t: t.emulator.lasting() == wanted.lasting() and not t.emulator.rest
                 and t.emulator.cursor_state() == wanted.cursor_state(),
                 "the modes %r and the cursor at %r" % (wanted.lasting(), wanted.cursor_state()))
    server.disconnect(number)
    assert t.wait_exit() == 0
    assert t.emulator.lasting() == {}, t.report()
    assert not t.emulator.alternate
    assert t.modes_now() == t.settings


@pytest.mark.parametrize("name", ["mouse drag, sgr", "alternate screen", "kitty keys", "all of vim", "background"])
def test_modes_that_are_set_while_connected_are_undone_when_the_session_ends(server, name):
    t = logon(server, program("show.py", (MODES[name] + "x").encode().hex()), answers=False)
    t.wait_until(lambda t: t.emulator.lasting() != {}, "the modes")
    t.type("k")
    assert t.wait_exit() == 0
    assert t.emulator.lasting() == {}, t.report()
    assert t.modes_now() == t.settings


@pytest.mark.parametrize("number", [2026, 2004, 1000, 1006])
def test_the_raw_bytes_set_and_reset_a_mode_that_emulators_may_not_know(server, number):
    session = detached(server, program("show.py", ("\x1b[?%dhx" % number).encode().hex()))
    server.pump.wait(lambda: server.session(session)["pid"], "the program")
    t = server.connect(session, answers=False).wait_for("x")
    if number != 2026:  # a frame that is held back would hide the picture
        t.wait_until(lambda t: re.search(rb"\x1b\[\?(?:[0-9]+;)*%d(?:;[0-9]+)*h" % number, t.raw), "the mode %d" % number)
    server.disconnect(session)
    t.wait_exit()
    assert re.findall(rb"\x1b\[\?(?:[0-9]+;)*%d(?:;[0-9]+)*([hl])" % number, t.raw)[-1:] == [b"l"]


def test_the_title_comes_with_the_session_and_goes_with_it(server):
    number = detached(server, program("show.py", b"\x1b]2;title of the session\x07x".hex()))
    server.pump.wait(lambda: server.session(number)["title"], "the title")
    t = server.connect(number)
    t.wait_until(lambda t: t.emulator.title == "title of the session", "the title")
    server.disconnect(number)
    t.wait_exit()
    assert t.emulator.title != "title of the session"


def test_tab_stops_and_the_saved_cursor_come_along(server):
    setup = b"\x1b[3g\x1b[1;6H\x1bH\x1b[1;31H\x1bH\x1b[10;20H\x1b[31m\x1b7\x1b[m\x1b[1;1Hset"
    use = b"\r\tA\tB\x1b8C"
    number = detached(server, program("show.py", setup.hex(), use.hex()))
    server.pump.wait(lambda: server.session(number)["pid"], "the program")
    t = server.connect(number).wait_for("set")
    t.type("k").wait_for("C")
    direct = Emulator(24, 80)
    direct.feed(setup + use)
    t.wait_until(lambda t: t.emulator.cells() == direct.cells(), "the picture\n%s" % direct.shown())


# --- leaving -------------------------------------------------------------------------------------

PRESSES = {"plain": KEY, "kitty": "\x1b[93;5u", "modifyOtherKeys": "\x1b[27;5;93~"}


@pytest.mark.parametrize("argv", [["cat"], ["vim", "-u", "NONE", "-i", "NONE"], program("keys.py"), ["less", "/etc/passwd"],
                                  ["bash", "--norc"]], ids=lambda a: os.path.basename(a[3] if len(a) > 3 and a[1] == "-S" else a[0]))
def test_three_presses_disconnect_from_whatever_runs(server, argv):
    t = logon(server, argv)
    server.wait_state(1, "Active", lambda s: s["pid"])
    t.wait_until(lambda t: t.raw, "the picture")
    t.type(KEY * 3)
    assert t.wait_exit() == 0
    server.wait_state(1, "Disc")
    assert t.emulator.lasting() == {} and t.modes_now() == t.settings
    assert re.search(r"\b1\b", t.screen()), "says nothing: " + t.report()


@pytest.mark.parametrize("encoding", PRESSES)
def test_the_key_is_found_however_the_terminal_encodes_it(server, encoding):
    t = logon(server, program("keys.py")).wait_for("keys:")
    t.type(PRESSES[encoding] * 3)
    assert t.wait_exit() == 0
    server.wait_state(1, "Disc")


def test_fewer_presses_reach_the_program_and_disconnect_nothing(server):
    t = logon(server, program("keys.py")).wait_for("keys:")
    t.type(KEY + KEY).wait_for("<1d>\n<1d>")
    t.type("ab").wait_for("<61>\n<62>")
    t.type(KEY).wait_for("<62>\n<1d>")
    assert t.running and server.session(1)["state"] == "Active"


@pytest.mark.parametrize("setting,presses,leaves", [
    ("off", KEY * 5, False), ("ctrl-^", KEY * 5, False), ("ctrl-^", "\x1e" * 3, True), ("ctrl-a", "\x01" * 3, True),
])
def test_the_detach_key_is_configurable(server, setting, presses, leaves):
    configure(server, "[terminal]\ndetach-key = %s\n" % setting)
    t = logon(server, program("keys.py")).wait_for("keys:")
    t.type(presses)
    if leaves:
        assert t.wait_exit() == 0
        server.wait_state(1, "Disc")
    else:
        t.wait_for("<1d>\n" * 4 + "<1d>")
        assert t.running


def test_a_mistake_in_the_configuration_is_said_by_line_and_stops_nothing(server):
    configure(server, "[terminal]\nhistory-lines = many\n\x1b[31mnonsense\n")
    t = server.terminal("termserv logon").wait_for(PROMPT)
    shown = bytes(t.raw)
    assert b"line 2" in shown or b":2" in shown, shown
    assert b"\x1b[31mnonsense" not in shown


def test_a_window_that_is_closed_disconnects_the_session(server):
    t = server.logon()
    pid = server.session(t.session)["pid"]
    t.close()
    session = server.wait_state(t.session, "Disc")
    assert session["pid"] == pid
    server.connect(t.session).wait_for(PROMPT).line("echo back").wait_for("\nback")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL], ids=lambda n: n.name)
def test_a_door_that_is_ended_disconnects_the_session(server, number):
    t = server.logon("sh -c 'printf \"\\033[?1000hup\"; cat'", answers=False).wait_for("up")
    t.kill(number)
    t.wait_exit()
    server.wait_state(t.session, "Disc")
    if number != signal.SIGKILL:
        assert t.modes_now() == t.settings
        assert t.emulator.lasting() == {}


def test_a_session_whose_line_drops_keeps_its_shape(server):
    t = logon(server, ["cat"], rows=33, columns=111)
    server.wait_state(1, "Active")
    t.close()
    server.wait_state(1, "Disc")
    session = server.session(1)
    assert (session["rows"], session["columns"]) == (33, 111)


def test_a_fixed_terminal_that_is_closed_is_gone_from_the_list(server):
    t = server.logon_fixed("TERM03")
    t.close()
    server.wait_state(t.session, "Disc")
    server.pump.wait(lambda: [s["id"] for s in server.sessions()] == [t.session], "TERM03 to be gone")


# --- queries -------------------------------------------------------------------------------------

QUERIES = {
    "DA1": ("\x1b[c", "c", rb"\x1b\[\?[0-9;]+c"), "DSR 5": ("\x1b[5n", "n", rb"\x1b\[0n"),
    "DSR 6": ("\x1b[3;7H\x1b[6n", "R", rb"\x1b\[3;7R"), "DA2": ("\x1b[>c", "c", rb"\x1b\[>[0-9;]+c"),
    "OSC 11": ("\x1b]11;?\x1b\\", "\\", rb"\x1b\]11;rgb:[0-9a-f/]+\x1b\\"),
    "OSC 10": ("\x1b]10;?\x1b\\", "\\", rb"\x1b\]10;rgb:[0-9a-f/]+\x1b\\"),
    "DECRQM set": ("\x1b[?2004h\x1b[?2004$p", "y", rb"\x1b\[\?2004;1\$y"),
    "DECRQM reset": ("\x1b[?2004$p", "y", rb"\x1b\[\?2004;2\$y"),
    "DECRQM unknown": ("\x1b[?31337$p", "y", rb"\x1b\[\?31337;0\$y"), "kitty": ("\x1b[>5u\x1b[?u", "u", rb"\x1b\[\?5u"),
}


@pytest.mark.parametrize("name", QUERIES)
def test_queries_are_answered_while_no_terminal_is_connected(server, name):
    query, end, answer = QUERIES[name]
    file = server.base / "answer"
    detached(server, program("ask.py", file, end, query.encode().hex()))
    server.pump.wait(file.exists, "an answer to %s" % name)
    assert re.fullmatch(answer, file.read_bytes()), file.read_bytes()


def test_a_connected_terminal_answers_alone(server):
    file = server.base / "answer"
    t = logon(server, program("ask.py", file, "c", b"\x1b[5n\x1b[6n\x1b[c".hex()))
    server.pump.wait(file.exists, "the terminal's answers\n" + t.report())
    assert file.read_bytes() == b"\x1b[0n\x1b[1;1R\x1b[?62;22c"


@pytest.mark.parametrize("query,end", [("\x1b[21t", "\\"), ("\x1b[20t", "\\"), ("\x1bP$qEVIL\x1b\\", "\\"), ("\x1bP+q4556494c\x1b\\", "\\")])
def test_no_answer_holds_text_that_was_stored(server, query, end):
    file = server.base / "answer"
    text = "\x1b]2;EVIL\x07\x1b]1;EVIL\x07" + query + "\x1b]11;?\x1b\\"
    detached(server, program("ask.py", file, end, text.encode().hex()))
    server.pump.wait(file.exists, "an answer")
    assert b"EVIL" not in file.read_bytes() and b"4556494c" not in file.read_bytes()


# --- slow and poor terminals -----------------------------------------------------------------------


def flood(server, size):
    """A session that, on a key, writes `size` bytes, says so in a file, and goes on as a shell."""
    done = server.base / "flooded"
    script = "echo go; read x; yes | head -c %d; echo; echo the present; : >%s; exec cat" % (size, done)
    return ["sh", "-c", script], done


def test_a_terminal_that_does_not_read_holds_up_neither_program_nor_others(server):
    argv, done = flood(server, 20_000_000)
    slow = logon(server, argv).wait_for("go")
    other = server.logon()
    slow.type("\r")
    slow.paused = True
    server.pump.wait(done.exists, "the program to finish")
    other.line("echo not held up").wait_for("\nnot held up")
    assert server.run("query session").status == 0
    before = len(slow.raw)
    slow.paused = False
    slow.wait_for("the present")
    slow.line("typed").wait_for("typed\ntyped")
    assert len(slow.raw) - before < 4_000_000, "the terminal was sent the past"


def test_a_session_can_be_taken_from_a_terminal_that_does_not_read(server):
    argv, done = flood(server, 5_000_000)
    slow = logon(server, argv).wait_for("go")
    slow.type("\r")
    slow.paused = True
    server.pump.wait(done.exists, "the program to finish")
    other = server.connect(1)
    slow.paused = False
    assert slow.wait_exit() == 0
    other.wait_for("the present").line("typed").wait_for("typed\ntyped")


def test_a_terminal_that_sleeps_through_the_goodbye_learns_where_its_session_is(server):
    argv, done = flood(server, 5_000_000)
    slow = logon(server, argv).wait_for("go")
    slow.type("\r")
    slow.paused = True
    server.pump.wait(done.exists, "the program to finish")
    server.connect(1).wait_for("the present")
    end = time.monotonic() + 4  # longer than a goodbye waits for its reader
    server.pump.wait(lambda: time.monotonic() > end, "the goodbye to be given up")
    slow.paused = False
    assert slow.wait_exit() == 0
    # From the goodbye, where the cable still had room for it, else from the server.
    assert b"Session 1 was connected to tty#2 by " in slow.raw or b"Session 1 is on tty#2 now." in slow.raw
    assert b"host is gone" not in slow.raw


def test_a_session_can_be_disconnected_from_a_terminal_that_does_not_read(server):
    argv, done = flood(server, 5_000_000)
    slow = logon(server, argv).wait_for("go")
    slow.type("\r")
    slow.paused = True
    server.pump.wait(done.exists, "the program to finish")
    server.disconnect(1)
    slow.paused = False
    assert slow.wait_exit() == 0


@pytest.mark.parametrize("command", ["yes", "cat %s"])
def test_ctrl_c_brings_the_prompt_back_in_a_flood(server, command):
    big = server.base / "big"
    with open(big, "wb") as file:
        file.write(b"a line of a large file, as long as lines are\n" * 4_000_000)
    t = server.terminal("termserv logon", emulate=False).wait_raw(PROMPT.encode())
    t.line(command % big if "%" in command else command)
    t.wait_until(lambda t: len(t.raw) > 300_000, "the flood")
    start, at = time.monotonic(), len(t.raw)
    t.type("\x03").wait_until(lambda t: PROMPT.encode() in t.raw[at:], "the prompt")
    print("prompt back after %.0f ms" % ((time.monotonic() - start) * 1000))
    t.line("echo $((6 * 7)) is it").wait_raw(b"42 is it")


ALLOWED = {
    "vt100": rb"[0-57]?",  # 2 and 3 it does not know, and leaves them
    "linux": rb"(\d|10|11|2\d|3[0-79]|4[0-79]|9[0-7]|10[0-7])?",
    "xterm": rb"(\d|2\d|3[0-79]|4[0-79]|9[0-7]|10[0-7])?",
}


def check_colours(raw, term):
    """Every SGR that the terminal was sent is one that it knows."""
    for parameters in re.findall(rb"\x1b\[([0-9;:]*)m", bytes(raw)):
        for one in parameters.split(b";"):
            assert re.fullmatch(ALLOWED[term], one), "%s was sent SGR %r" % (term, parameters)


def seen(emulator):
    """Rows of text, without what is concealed: not every terminal can."""
    return ["".join(" " if c.hidden else c.data for c in emulator.row(y)).rstrip() for y in range(emulator.lines)]


@pytest.mark.parametrize("term", ["vt100", "linux", "xterm"])
@pytest.mark.parametrize("name", ["colours", "attributes", "lines"])
def test_a_terminal_with_fewer_colours_gets_a_right_picture(server, term, name):
    rich = logon(server, program("picture.py", name))
    rich.wait_until(lambda t: t.emulator.title == "shown", "the picture")
    cursor = rich.emulator.cursor_state()
    text = seen(rich.emulator)
    poor = server.connect(1, env=server.environment(TERM=term, COLORTERM=None))
    poor.wait_until(lambda t: seen(t.emulator) == text and t.emulator.cursor_state() == cursor and not t.emulator.rest,
                    "the same text, and the cursor at %r\n" % (cursor,) + "\n".join(text))
    check_colours(poor.raw, term)
    if term != "vt100" and name == "colours":
        assert len({c.bg for row in poor.emulator.cells() for c in row}) > 4, "the picture lost its colours"


@pytest.mark.parametrize("term", ["vt100", "linux"])
def test_what_comes_later_is_translated_for_a_poor_terminal_too(server, term):
    later = b"\x1b[38;2;255;0;0mred\x1b[0m \x1b[48;5;21mblue\x1b[0m \x1b[4:3mcurly\x1b[0m \x1b]8;;http://example.org/\x07link\x1b]8;;\x07!"
    number = detached(server, program("show.py", b"first".hex(), later.hex()))
    server.pump.wait(lambda: server.session(number)["pid"], "the program")
    t = server.connect(number, env=server.environment(TERM=term, COLORTERM=None)).wait_for("first")
    t.type("k").wait_for("firstred blue curly link!")
    check_colours(t.raw, term)
    assert b"example.org" not in t.raw and b"\x1b]8" not in t.raw


def test_a_vt100_gets_no_sequence_that_it_does_not_know(server):
    rich = logon(server, program("picture.py", "editor"))
    rich.wait_until(lambda t: t.emulator.title == "shown", "the picture")
    text = seen(rich.emulator)
    poor = server.connect(1, env=server.environment(TERM="vt100", COLORTERM=None))
    poor.wait_until(lambda t: seen(t.emulator) == text, "the same text")
    server.disconnect(1)
    poor.wait_exit()
    allowed = rb"\x1b(\[[0-9;]*[ABCDHJKcfgmnqry]|\[\??[0-9;]+[hl]|[()][AB0]|[78=>cDEHM\\]|#[3-68])"
    rest = re.sub(allowed, b"", bytes(poor.raw))
    assert b"\x1b" not in rest, re.findall(rb"\x1b.{0,12}", rest)


# --- what the terminal brings ----------------------------------------------------------------------


def agent(path):
    """Something that listens where an agent would."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()
    return listener


def test_the_agents_path_stays_valid_after_a_reconnect_from_elsewhere(server):
    first, second = server.base / "agent1", server.base / "agent2"
    listeners = [agent(first), agent(second)]
    t = server.terminal("termserv logon", env=server.environment(SSH_AUTH_SOCK=str(first))).wait_for(PROMPT)
    path = server.run("echo $SSH_AUTH_SOCK", in_terminal=t).out.strip()
    assert path.startswith(str(server.runtime)) and os.path.realpath(path) == str(first)
    t.close()
    server.wait_state(1, "Disc")
    t = server.connect(1, env=server.environment(SSH_AUTH_SOCK=str(second))).wait_for(PROMPT)
    server.pump.wait(lambda: os.path.realpath(path) == str(second), "the path to point to the new agent")
    assert server.run("echo $SSH_AUTH_SOCK", in_terminal=t).out.strip() == path
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(path)
    client.close()
    for listener in listeners:
        listener.close()


def test_the_waylands_path_stays_valid_after_a_reconnect_from_elsewhere(server):
    folders = [server.base / "seat1", server.base / "seat2"]
    listeners = []
    for folder in folders:
        folder.mkdir(mode=0o700)
        listeners.append(agent(folder / "wayland-0"))
    env = [server.environment(WAYLAND_DISPLAY="wayland-0", XDG_RUNTIME_DIR=str(folder)) for folder in folders]
    t = server.terminal("termserv logon", env=env[0]).wait_for(PROMPT)
    path = server.run("echo $WAYLAND_DISPLAY", in_terminal=t).out.strip()
    assert os.path.realpath(path) == str(folders[0] / "wayland-0")
    t.close()
    server.wait_state(1, "Disc")
    server.connect(1, env=env[1]).wait_for(PROMPT)
    server.pump.wait(lambda: os.path.realpath(path) == str(folders[1] / "wayland-0"), "the new display")
    for listener in listeners:
        listener.close()


def test_env_prints_what_the_present_terminal_brought(server):
    t = server.terminal("termserv logon", env=server.environment(SSH_CLIENT="first", SSH_CONNECTION="192.0.2.7 1 192.0.2.1 22"))
    t.wait_for(PROMPT)
    session = server.wait_state(1, "Active")
    assert session["clientAddress"] == "192.0.2.7" and re.fullmatch(r"ssh#\d+", session["name"])
    assert "SSH_CLIENT='first'\n" in server.run("termserv env", in_terminal=t).out
    t.close()
    server.wait_state(1, "Disc")
    t = server.connect(1, env=server.environment(SSH_CLIENT="second")).wait_for(PROMPT)
    assert server.run('eval "$(termserv env)"; echo $SSH_CLIENT', in_terminal=t).out.strip() == "second"


@pytest.mark.parametrize("text", ["'; touch owned; '", "$(touch owned)", "`touch owned`", "a b  c", "x\\", "\"", "*", "a\nb"])
def test_env_quotes_foreign_values(server, text):
    t = server.terminal("termserv logon", env=server.environment(SSH_CLIENT=text)).wait_for(PROMPT)
    result = server.run('eval "$(termserv env)"; printf "%s" "$SSH_CLIENT"', in_terminal=t)
    assert result.out == text or result.out == "" or text == "a\nb", result
    assert not list(server.home.glob("owned")) and not list(server.base.glob("owned"))


def test_env_outside_of_any_session_fails(server):
    server.detached()
    result = server.run("termserv env")
    assert result.status == 1 and result.out == "" and result.err != ""
