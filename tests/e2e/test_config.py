"""check-config and query permission: what they print, what they refuse, and hostile text in the file."""

import json
import os
import pwd

import pytest

from server import REPOSITORY, error_code

USER = pwd.getpwuid(os.getuid()).pw_name
OWN = ["QUERY", "SET", "RESET", "VIRTUAL", "LOGOFF", "MESSAGE", "CONNECT", "DISCONNECT"]


@pytest.fixture
def config(tmp_path):
    """Writes a file and gives its path."""
    def write(text, name="termserv.conf"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        path.chmod(0o644)
        return path
    return write


def check(server, *words):
    result = server.run(["termserv", "check-config", *map(str, words)])
    assert result.err == "" and server.processes() == []
    return result.status, result.out.splitlines()


def test_a_good_configuration_says_nothing(server, config):
    path = config("[server]\nfailure-delay = 0\n[rights]\n* = User\n%s = Full -SHADOW\n[rights ssh]\n* = Guest\n" % USER)
    assert check(server, path) == (0, [])


def test_each_mistake_is_a_line_with_file_and_number(server, config):
    path = config("[server]\nfailure-delay = 61\ncolour = blue\n[rights]\nno-such-user-here = User\n%s = Userr\n[nonsense]\n" % USER)
    status, lines = check(server, path)
    assert status == 1
    assert [line.split(": ")[0] for line in lines] == ["%s:%d" % (path, number) for number in (2, 3, 5, 6, 7)]
    assert "0 to 60" in lines[0] and "no-such-user-here" in lines[2] and "Userr" in lines[3]


def test_drop_ins_are_read_too(server, config):
    path = config("[server]\n")
    drop_in = config("[bogus]\n", "termserv.conf.d/10-more.conf")
    status, lines = check(server, path)
    assert status == 1 and len(lines) == 1 and lines[0].startswith("%s:1: " % drop_in)


def test_a_file_that_others_could_have_written_is_not_read(server, config):
    path = config("[bogus]\n")
    path.chmod(0o666)
    status, lines = check(server, path)
    assert status == 1 and len(lines) == 1 and "written" in lines[0]


def test_what_is_asked_for_must_be_there(server, tmp_path):
    status, lines = check(server, tmp_path / "nothing.conf")
    assert status == 1 and "nothing.conf" in lines[0]


@pytest.mark.parametrize("text", ["\x1b[31m", "\x1b]0;x\x07", "\u202e", "\u0085", "\udc9b31m", "\u200b"])
def test_hostile_text_in_the_file_is_shown_harmlessly(server, config, text):
    path = config("[rights]\n%s = %s\n[%s]\nx%s = y\n[server]\nroot-connect = %s\n%s = 1\n" % ((text,) * 6))
    status, lines = check(server, path)
    assert status == 1 and len(lines) >= 3
    assert text not in "\n".join(lines) and "\x1b" not in "\n".join(lines)


def test_the_example_has_no_mistakes(server, config):
    text = (REPOSITORY / "data/termserv.conf").read_text()
    assert text and check(server, config(text)) == (0, [])  # a copy: a checkout may be its group's to write


def test_query_permission_shows_each_right_with_its_origin(server):
    result = server.run("query permission")
    assert result.status == 0 and result.err == "", result
    lines = result.out.splitlines()
    assert lines[0] == " LISTENER         RIGHT       STATE     FROM"
    assert [line.split()[:2] for line in lines[1:]] == [["*", right] for right in (
        "QUERY", "SET", "RESET", "VIRTUAL", "SHADOW", "LOGON", "LOGOFF", "MESSAGE", "CONNECT", "DISCONNECT")]
    found = {line.split()[1]: line.split(None, 2)[2] for line in lines[1:]}
    assert found["SHADOW"] == "none" and found["LOGON"] == "granted   built in"
    assert all(found[right] == "implied   built in" for right in OWN)


def test_query_permission_as_json(server):
    result = server.run("query permission --json")
    answer = json.loads(result.out)
    assert (answer["version"], answer["user"], answer["uid"], answer["administrator"]) == (1, USER, os.getuid(), True)
    assert len(answer["permissions"]) == 10
    for one in answer["permissions"]:
        assert set(one) == {"listener", "right", "state", "source"}
    assert [p["right"] for p in answer["permissions"] if p["state"] == "implied"] == OWN


def test_ones_own_name_may_be_asked_and_no_other(server):
    assert server.run("query permission %s" % USER).status == 0
    result = server.run("query permission somebody-else")
    assert result.status == 1 and error_code(result) == 5 and len(result.err.splitlines()) == 2


@pytest.mark.parametrize("command", ["query permission a b", "query permission --bogus", "termserv check-config a b",
                                     "termserv check-config --json"])
def test_wrong_usage_exits_with_2(server, command):
    result = server.run(command)
    assert result.status == 2 and result.out == "" and "sage" in result.err


@pytest.mark.parametrize("command", ["query permission /?", "termserv check-config /?", "termserv check-config --help"])
def test_help_starts_nothing(server, command):
    result = server.run(command)
    assert result.status == 0 and "sage" in result.out and server.processes() == []


def test_the_caller_is_told_who_he_is_and_how_the_server_is_set(server):
    answer = json.loads(server.run("termserv call GetCaller").out)
    assert (answer["uid"], answer["user"], answer["mode"]) == (os.getuid(), USER, "user")
    assert (answer["administrator"], answer["chooser"], answer["singleSession"]) == (True, True, False)
    assert answer["session"] is None and answer["listener"] is None
    here = server.logon()
    answer = json.loads(server.run("termserv call GetCaller", in_terminal=here).out)
    assert answer["session"] == here.session and answer["listener"] == "tty"
