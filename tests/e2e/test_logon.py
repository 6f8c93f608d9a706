"""termserv logon: who gets which session, and in what it sits."""

import os
import pwd
import re
import signal

import pytest

from server import PROMPT, error_code


def value(server, terminal, command):
    return server.run(command, in_terminal=terminal).out.strip()


def test_logon_makes_a_session_and_sits_in_it(server):
    t = server.terminal("termserv logon").wait_for(PROMPT)
    server.wait_state(1, "Active")
    session, = server.sessions()
    assert (session["type"], session["uid"]) == ("pty", os.getuid())
    assert session["user"] == pwd.getpwuid(os.getuid()).pw_name
    assert session["name"] == "tty#1"
    assert value(server, t, "tty") == session["tty"] != t.path
    assert value(server, t, "echo $$") == str(session["pid"])


def test_the_session_runs_the_callers_shell_with_the_commands_on_its_path(server):
    """The programs of a build lie in a folder that no login knows; a login shell would make its PATH without them."""
    t = server.terminal("termserv logon").wait_for(PROMPT)
    assert value(server, t, "echo $0").lstrip("-") in ("bash", "/bin/bash")
    for name in ("connect", "termserv", "query"):
        assert value(server, t, "command -v %s" % name) == str(server.programs / name)
    assert value(server, t, "case $- in *i*) echo interactive;; esac") == "interactive"


def test_a_shell_from_the_configuration_is_run(server):
    folder = server.home / ".config" / "termserv"
    folder.mkdir(parents=True)
    (folder / "termserv.conf").write_text("[session]\nshell = /bin/dash\n")
    t = server.terminal("termserv logon")
    t.wait_until(lambda t: server.processes("dash"), "the shell of the configuration")
    assert value(server, t, "echo $SHELL") == "/bin/dash"


def test_the_session_has_the_terminals_size_and_type(server):
    t = server.terminal("termserv logon", rows=37, columns=113).wait_for(PROMPT)
    assert value(server, t, "stty size") == "37 113"
    assert value(server, t, "echo $TERM") == "xterm-256color"
    assert value(server, t, "echo $TERMSERV_SESSION") == "1"


def test_the_session_follows_the_window(server):
    t = server.terminal("termserv logon").wait_for(PROMPT)
    t.resize(31, 99)
    server.pump.wait(lambda: server.session(1)["columns"] == 99, "the list to say 99 columns")
    assert value(server, t, "stty size") == "31 99"


def test_the_program_starts_at_the_size_of_its_first_terminal(server):
    t = server.terminal("termserv logon -- sh -c 'stty size; cat'", rows=11, columns=67)
    t.wait_for("11 67")


def test_detached_prints_the_id_alone(server):
    result = server.run("termserv logon --detached -- cat")
    assert result == (0, "1\n", "")
    session, = server.sessions()
    assert (session["state"], session["name"], session["command"]) == ("Disc", None, "cat")


@pytest.mark.parametrize("spelling", ["--size 132x43", "--size=132x43", "/size:132x43"])
def test_size_of_a_detached_session_in_every_spelling(server, spelling):
    number = server.detached("sh -c 'stty size; cat'", options=spelling)
    session = server.session(number)
    assert (session["columns"], session["rows"]) == (132, 43)


@pytest.mark.parametrize("size", ["0x0", "80", "x", "80x", "-1x5", "99999x24", "80x24x3", "80x24 --"])
def test_a_wrong_size_is_wrong_usage(server, size):
    result = server.run("termserv logon --detached --size %s -- cat" % size)
    assert result.status == 2 if size != "80x24 --" else True
    if size != "80x24 --":
        assert result.out == "" and result.err != ""
        assert server.ids() == []


@pytest.mark.parametrize("words", [
    ["one two", "three"], ["", "empty before"], ["täglich", "日本", "a'b\"c$d`e\\f"], ["--new", "-x", "/v"], ["*", "~", "a\nb"],
])
def test_the_command_gets_its_arguments_unchanged(server, words):
    out = server.base / "arguments"
    result = server.run(["termserv", "logon", "--detached", "--", "/bin/sh", "-c",
                         'for a; do printf "%s\\0" "$a"; done >"$OUT.new"; mv "$OUT.new" "$OUT"; cat', "sh", *words],
                        env=server.environment(OUT=str(out)))
    assert result.status == 0, result
    server.pump.wait(out.exists, "the command to write its arguments")
    assert out.read_bytes().decode().split("\0")[:-1] == words


def test_the_command_starts_in_the_folder_of_the_caller(server):
    folder = server.base / "some folder"
    folder.mkdir()
    server.terminal("termserv logon -- sh -c 'pwd; cat'", cwd=folder).wait_for("some folder")


@pytest.mark.parametrize("status", [0, 1, 7, 255])
def test_the_exit_status_passes_through(server, status):
    t = server.terminal("termserv logon -- sh -c 'exit %d'" % status)
    assert t.wait_exit() == status


def test_the_end_of_the_session_is_told_with_its_exit_status(server):
    t = server.shell()
    t.line("termserv logon -- sh -c 'exit 7'; echo status=$?")
    t.wait_for("status=7")
    assert re.search(r"ended.*\b7\b", t.screen()), t.report()


def test_a_signal_that_ends_the_program_is_told(server):
    t = server.terminal("termserv logon -- sh -c 'kill -9 $$'")
    assert t.wait_exit() == 128 + signal.SIGKILL
    assert re.search(r"ended.*(signal 9|Killed)", t.screen()), t.report()


def test_a_command_that_is_not_there_ends_with_127_and_its_name(server):
    t = server.terminal("termserv logon -- /nonexistent/program")
    assert t.wait_exit() == 127
    assert "/nonexistent/program" in t.screen()


def test_all_output_of_a_command_that_ends_at_once_is_seen(server):
    t = server.terminal("termserv logon -- sh -c 'seq 1 300; echo the last line'")
    assert t.wait_exit() == 0
    everything = t.emulator.everything()
    assert "the last line" in everything
    assert [line for line in everything if line.isdigit()] == [str(n) for n in range(1, 301)]


def test_one_disconnected_session_is_connected_silently(server):
    number = server.detached("sh -c 'echo it is me; cat'")
    t = server.terminal("termserv logon").wait_for("it is me")
    server.wait_state(number, "Active")
    assert server.ids() == [number]
    assert t.emulator.text(0) == "it is me"


def test_new_makes_a_session_though_one_is_disconnected(server):
    number = server.detached()
    server.terminal("termserv logon --new").wait_for(PROMPT)
    assert server.session(number)["state"] == "Disc"
    assert len(server.ids()) == 2


def test_a_command_makes_a_session_though_one_is_disconnected(server):
    number = server.detached()
    server.terminal("termserv logon -- sh -c 'echo other; cat'").wait_for("other")
    assert server.session(number)["state"] == "Disc"


def test_an_active_session_is_not_taken_by_a_logon(server):
    first = server.logon()
    second = server.terminal("termserv logon").wait_for(PROMPT)
    server.wait_state(first.session, "Active", on=first.name)
    assert len(server.ids()) == 2 and first.running and second.running


def test_several_disconnected_sessions_give_a_chooser(server):
    numbers = [server.detached("sh -c 'echo here is %s; cat'" % word) for word in ("alpha", "beta", "gamma")]
    t = server.terminal("termserv logon")
    for number in numbers:
        t.wait_for(re.compile(r"\b%d\b.*here is" % number))
    t.line(chooser_key(t, "beta"))
    t.wait_for("here is beta")
    server.wait_state(numbers[1], "Active")
    assert [server.session(n)["state"] for n in numbers] == ["Disc", "Active", "Disc"]


def test_the_chooser_offers_a_new_session(server):
    server.detached()
    server.detached()
    t = server.terminal("termserv logon")
    t.line(chooser_key(t, "new"))
    t.wait_for(PROMPT)
    assert len(server.ids()) == 3


def test_the_chooser_asks_again_after_nonsense_and_ends_at_end_of_file(server):
    server.detached()
    server.detached()
    t = server.terminal("termserv logon")
    key = chooser_key(t, "new")
    t.line("nonsense").line("99")
    t.wait_until(lambda t: t.running)
    t.type("\x04")
    assert t.wait_exit() != 0
    assert [s["state"] for s in server.sessions()] == ["Disc", "Disc"], key


def test_without_the_chooser_the_newest_disconnected_session_comes_back(server):
    folder = server.home / ".config" / "termserv"
    folder.mkdir(parents=True)
    (folder / "termserv.conf").write_text("[terminal]\nchooser = no\n")
    for word in ("alpha", "beta"):
        server.detached("sh -c 'echo %s; cat'" % word)
    t = server.terminal("termserv logon").wait_for("beta")
    assert "Number" not in t.screen() and server.session(1)["state"] == "Disc"


def chooser_key(terminal, what):
    """What to type for the row that says `what`: its first number, or the letter in front."""
    row = re.compile(r"^\W*(\w+)\W.*%s" % what, re.MULTILINE | re.IGNORECASE)
    terminal.wait_for(row)
    return row.search(terminal.screen()).group(1)


def test_without_a_terminal_logon_says_so_and_makes_nothing(server):
    result = server.run("termserv logon")
    assert result.status in (1, 2) and result.out == ""
    assert "terminal" in result.err and "--detached" in result.err
    assert server.ids() == []


def test_many_first_commands_start_one_server(server):
    racing = [server.start("query session --json") for _ in range(20)]
    results = [server.finish(process) for process in racing]
    assert [r.status for r in results] == [0] * 20, results
    server.pump.wait(lambda: len(server.processes("termservd")) == len(server.processes("termserv-broker")) == 1,
                     "one parent and one broker to be left")


def test_many_first_logons_make_as_many_sessions(server):
    racing = [server.start("termserv logon --detached -- cat") for _ in range(10)]
    results = [server.finish(process) for process in racing]
    assert sorted(int(r.out) for r in results) == list(range(1, 11)), results
    assert sorted(server.ids()) == list(range(1, 11))


def test_logon_inside_a_session_shows_the_other_session_on_its_terminal(server):
    t = server.logon_fixed("TERM01")
    t.line("echo the first").wait_for("\nthe first")
    t.line("termserv logon")
    server.pump.wait(lambda: len(server.ids()) == 2, "a second session")
    server.wait_state(2, "Active", on="TERM01")
    server.wait_state(1, "Disc")
    t.wait_until(lambda t: "the first" not in t.screen() and PROMPT.rstrip() in t.screen(), "the second session's shell")
    t.line("termserv logon")
    t.wait_for("\nthe first")
    server.wait_state(1, "Active", on="TERM01")
    assert len(server.ids()) == 2


def test_a_session_gets_no_terminals_name(server):
    t = server.logon()
    assert error_code(server.run("termserv logon --terminal TERM03", in_terminal=t)) == 5023
    assert server.ids() == [t.session]


def test_a_fixed_terminal_has_the_name_that_it_was_given(server):
    t = server.logon_fixed("TERM03")
    session = server.session(t.session)
    assert session["name"] == "TERM03"


@pytest.mark.parametrize("name", ["12", "a#b", "a b", "a/b", "x" * 33, "", "a\x1b[31m", "ü" * 20])
def test_names_that_a_terminal_cannot_have(server, name):
    t = server.terminal(["termserv", "logon", "--new", "--terminal", name])
    assert t.wait_exit() in (1, 2)
    assert server.ids() == []


def test_a_terminals_name_is_taken_only_once(server):
    server.logon_fixed("TERM03")
    t = server.terminal("termserv logon --new --terminal term03")
    assert t.wait_exit() == 1 and "Error [7023]" in t.screen()
    assert len(server.ids()) == 1


def test_ids_count_up_and_are_not_used_again(server):
    first = server.detached()
    assert server.run("logoff %d" % first).status == 0
    server.wait_state(first, None)
    assert server.detached() == first + 1


def test_logoff_ends_the_programs_and_tells_the_terminal(server):
    t = server.logon()
    assert server.run("logoff %d" % t.session).status == 0
    server.wait_state(t.session, None)
    t.wait_exit()
    server.pump.wait(lambda: server.processes("bash") == [], "the shell to be gone")


def test_logoff_without_arguments_ends_ones_own_session(server):
    t = server.logon()
    t.line("logoff")
    assert t.wait_exit() == 128 + signal.SIGHUP
    server.wait_state(t.session, None)


def test_a_program_that_missed_the_hangup_gets_another_one(server):
    number = server.detached("sh -c 'trap \"trap - HUP\" HUP; while :; do sleep 1000 & wait; done'")
    assert server.run("logoff %d" % number).status == 0
    server.wait_state(number, None)
    server.wait_log("session %d: the program was ended by signal 1" % number)


def test_logoff_gives_a_program_that_ignores_hangup_its_grace_and_then_kills_it(server):
    number = server.detached("sh -c 'trap \"\" HUP; while :; do read x || exec sleep 1000; done'")
    assert server.run("logoff %d" % number).status == 0
    server.wait_state(number, None)
    server.pump.wait(lambda: server.processes("termserv-host") == [] == server.processes("sleep"), "all to be gone")


def test_reset_kills_at_once(server):
    number = server.detached("sh -c 'trap \"\" HUP TERM; echo up; exec sleep 1000'")
    assert server.run("termserv reset session %d" % number).status == 0
    server.wait_state(number, None)
    server.pump.wait(lambda: server.processes("sleep") == [], "the program to be gone")


def test_a_program_that_left_the_process_group_ends_with_the_session(server):
    number = server.detached("sh -c 'setsid sleep 1000 & setsid sleep 1001 & cat'")
    server.pump.wait(lambda: len(server.processes("sleep")) == 2, "the daemons")
    assert server.run("logoff %d" % number).status == 0
    server.wait_state(number, None)
    server.pump.wait(lambda: server.processes("sleep") == [], "the daemons to be gone")


@pytest.mark.parametrize("command,code", [
    ("logoff 99", 7022), ("logoff NOPE", 7022), ("termserv reset session 99", 7022), ("rwinsta 99", 7022),
    ("disconn 99", 7022), ("disconn NOPE", 7022),
])
def test_a_session_that_is_not_there(server, command, code):
    server.detached()
    assert error_code(server.run(command)) == code


@pytest.mark.parametrize("command", ["termserv reset session", "rwinsta", "disconn 1 2", "logoff /bogus", "termserv",
                                     "termserv bogus", "disconn --bogus", "connect 1 2", "termserv logon --bogus"])
def test_wrong_usage_exits_with_2_and_says_how(server, command):
    result = server.run(command)
    assert result.status == 2 and result.out == "", result
    assert "sage" in result.err or "/?" in result.err or "--help" in result.err


@pytest.mark.parametrize("command", ["connect", "tscon", "disconn", "tsdiscon", "query", "query session", "query user",
                                     "qwinsta", "quser", "rwinsta", "logoff", "termserv", "termserv logon", "termserv stop",
                                     "termserv call", "termserv env", "termserv reset session"])
@pytest.mark.parametrize("spelling", ["/?", "-h", "--help"])
def test_help_goes_to_standard_output_and_starts_nothing(server, command, spelling):
    result = server.run("%s %s" % (command, spelling))
    assert result.status == 0 and result.err == "", result
    assert "sage" in result.out
    assert server.processes() == []


def test_disconn_leaves_the_programs_running_and_frees_the_terminal(server):
    t = server.logon()
    t.line("disconn")
    assert t.wait_exit() == 0
    session = server.wait_state(t.session, "Disc")
    assert session["name"] is None and session["pid"] is not None
    server.connect(t.session).wait_for(PROMPT)


def test_disconn_of_another_session_by_name_and_id(server):
    first, second = server.logon(), server.logon()
    assert server.run("disconn %d" % first.session) == (0, "", "")
    assert server.run("tsdiscon %s" % second.name) == (0, "", "")
    for t in (first, second):
        server.wait_state(t.session, "Disc")
        assert t.wait_exit() == 0


def test_disconn_of_a_disconnected_session_fails(server):
    number = server.detached()
    assert error_code(server.run("disconn %d" % number)) in (5023, 7022)


def test_disconn_outside_of_any_session_fails(server):
    server.detached()
    result = server.run("disconn")
    assert result.status in (1, 2) and result.out == "" and result.err != ""


def test_stop_refuses_without_force_when_nobody_can_be_asked(server):
    server.detached()
    result = server.run("termserv stop")
    assert result.status == 1 and result.err != ""
    assert server.ids() == [1]


def test_stop_says_what_is_lost_and_asks(server):
    server.detached("sh -c 'echo precious; cat'")
    t = server.terminal("termserv stop").wait_for(re.compile("1"))
    t.wait_for("?").line("n")
    assert t.wait_exit() != 0
    assert server.ids() == [1]
    t = server.terminal("termserv stop").wait_for("?").line("y")
    assert t.wait_exit() == 0
    server.pump.wait(lambda: server.processes() == [], "the server to end")


def test_stop_with_force_ends_sessions_terminals_and_server(server):
    transient, fixed = server.logon(), server.logon_fixed("TERM03")
    assert server.run("termserv stop --force").status == 0
    assert transient.wait_exit() is not None and fixed.wait_exit() is not None
    server.pump.wait(lambda: server.processes() == [], "the server to end")


def test_stop_without_a_server_starts_none(server):
    result = server.run("termserv stop --force")
    assert result.status == 0
    assert server.processes() == []
