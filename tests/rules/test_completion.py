"""Completion in real interactive shells, against a termserv of our own making whose answers are known."""

import os
import re
import shutil
import socket

import pexpect
import pytest
import tree

SHELLS = ["bash", "zsh"]

# Answers as the real one does; the title and the command of session 12 pretend to be members.
FAKE = r"""#!/bin/sh
case "$*" in
"help --completion")
    printf 'call\t--help --runtime-dir= --user\tcall a method\n'
    printf 'connect\t--dest= --help --password= --verbose\tshow a session\n'
    printf 'tscon\t--dest= --help --password= --verbose\tshow a session\n'
    printf 'help\t--help\thelp\n'
    printf 'logon\t--detached --help --new --size= --terminal=\tlog on\n'
    printf 'query session\t--json --watch\tlist\n'
    printf 'qwinsta\t--json --watch\tlist\n'
    printf 'query user\t--json\tlist\n'
    printf 'query audit\t--json --server=\tlist\n'
    printf 'reset session\t--verbose\tend\n' ;;
"query session --json")
    touch "$TERMSERV_RUNTIME_DIR/asked"
    cat <<'END'
{"version":1,"sessions":[
{"id":12,"name":"TERM03","user":"alice","title":"\"id\":666,\"name\":\"evil\"","command":"x \"name\": \"evil2\""},
{"id":13,"name":null,"user":"alice","title":""},{"id":null,"name":"tty#7","user":null,"title":""}]}
END
    ;;
"call org.varlink.service.GetInterfaceDescription {\"interface\":\"io.termserv.Control\"}")
    printf '{"description":"method GetCaller() -> (x: int)\\nmethod Stop(force: bool) -> ()"}\n' ;;
*) exit 2 ;;
esac
"""

START = {
    "bash": "bind 'set enable-bracketed-paste off'; bind 'set show-all-if-ambiguous on'; bind 'set page-completions off';"
            " bind 'set completion-query-items 0'; . {file}; PS1='re''ady> '\n",
    "zsh": "PS1='re''ady> '; fpath=({folder} $fpath); unsetopt zle_bracketed_paste auto_menu beep; LISTMAX=0;"
           " autoload -Uz compinit; compinit -u -D\n",
}


class Shell:
    """A shell with the completion loaded, in a folder with the fake program and (maybe) a server's socket."""

    def __init__(self, name, folder, running=True):
        assert shutil.which(name), f"{name} is not installed"
        (folder / "termserv").write_text(FAKE)
        (folder / "termserv").chmod(0o755)
        for alias in ("connect", "tscon", "query", "qwinsta"):
            (folder / alias).symlink_to("termserv")
        self.runtime = folder / "run"
        self.runtime.mkdir()
        if running:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.bind(str(self.runtime / "control"))
        environment = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder), "TERM": "dumb", "LC_ALL": "C.UTF-8",
                       "TERMSERV_RUNTIME_DIR": str(self.runtime)}
        arguments = ["--norc", "--noprofile", "-i"] if name == "bash" else ["-f", "-i"]
        self.child = pexpect.spawn(shutil.which(name), arguments, env=environment, cwd=str(folder), encoding="utf-8",
                                   timeout=120, dimensions=(60, 100))
        completions = tree.ROOT / "data/completions"
        self.child.send(START[name].format(file=completions / "termserv.bash", folder=completions))
        self.child.expect("ready> ")

    def complete(self, text):
        """What stands on the line, and the words offered below it, after Tab. Ctrl-U and echo mark the end."""
        self.child.send(text + "\t")
        self.child.send("\x15echo e''nd\n")
        self.child.expect("\r\nend\r\n")
        shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\x07|\x0f", "", self.child.before)
        self.child.expect("ready> ")
        return shown

    def words(self, text):
        """The set of words in what was shown, without those that were typed."""
        while_typing = set(text.split())
        return {word for word in self.complete(text).split() if word not in while_typing} - {"ready>", "echo", "e''nd"}

    def close(self):
        self.child.close(force=True)


@pytest.fixture(params=SHELLS)
def shell(request, tmp_path):
    started = Shell(request.param, tmp_path)
    yield started
    started.close()


def test_a_session_is_offered_by_id_and_name_and_no_title_passes_for_one(shell):
    shown = shell.words("connect ")
    assert {"12", "13", "TERM03", "tty#7"} <= shown | {w.replace("\\", "") for w in shown}
    assert not {"666", "evil", "evil2"} & shown


def test_a_single_match_is_completed_in_place(shell):
    assert "connect TERM03" in shell.complete("connect TE")


def test_a_terminal_is_completed_behind_dest_in_each_spelling(shell):
    for spelling in ("/dest:", "--dest=", "--dest "):
        assert f"connect 12 {spelling}TERM03" in shell.complete(f"connect 12 {spelling}TE"), spelling


def test_options_are_offered_in_the_spelling_that_was_begun(shell):
    assert {"--dest=", "--help", "--password=", "--verbose"} <= shell.words("connect --")
    assert {"/dest:", "/help", "/password:", "/verbose"} <= shell.words("tscon /")
    assert "termserv logon --detached" in shell.complete("termserv logon --det")


def test_commands_and_their_second_words_are_offered(shell):
    assert {"call", "connect", "logon", "query", "reset"} <= shell.words("termserv ")
    assert {"session", "user", "audit"} <= shell.words("query ")
    assert "termserv reset session" in shell.complete("termserv reset s")
    assert {"12", "13", "TERM03", "alice"} <= shell.words("termserv query session ")
    assert {"12", "13"} <= shell.words("termserv --user reset session ")
    assert {"alice"} <= shell.words("termserv query audit ")
    assert not {"12", "TERM03"} & shell.words("termserv query audit ")


def test_a_host_is_offered_behind_server(shell):
    assert "localhost" in shell.complete("termserv query audit /server:localh")


def test_methods_are_offered_to_call(shell):
    assert {"GetCaller", "Stop"} <= shell.words("termserv call ")


def test_a_program_of_another_folder_asks_its_own_sibling(shell):
    assert "./connect TERM03" in shell.complete("./connect TE")


@pytest.mark.parametrize("name", SHELLS)
def test_completing_never_starts_a_server(name, tmp_path):
    started = Shell(name, tmp_path, running=False)
    assert not {"12", "13", "TERM03"} & started.words("connect ")
    assert "connect 12 --verbose" in started.complete("connect 12 --verb")
    assert not os.path.exists(started.runtime / "asked")
    started.close()


def check_completion_table(text):
    """Each line is a name, a tab, options as --name or --name=, a tab, a help; names are sorted nowhere but once each."""
    found = [line for line in text.splitlines() if not re.fullmatch(r"[a-z-]+( [a-z-]+)?\t(--[a-z-]+=?( --[a-z-]+=?)*)?\t.+", line)]
    names = [line.split("\t")[0] for line in text.splitlines()]
    return found + [name for name in names if names.count(name) > 1] + ([] if names else ["empty"])


def test_the_real_program_answers_in_the_form_that_completion_reads():
    run = tree.program("termserv", "help", "--completion")
    assert run.returncode == 0 and check_completion_table(run.stdout) == []
    names = {line.split("\t")[0] for line in run.stdout.splitlines()}
    loaded = (tree.ROOT / "data/completions/termserv.bash").read_text() + (tree.ROOT / "data/completions/_termserv").read_text()
    assert [n for n in names if " " not in n and n in re.findall(r"'(\w+)'", (tree.ROOT / "bin/meson.build").read_text())
            and loaded.count(n) < 2] == []


def test_the_table_check_sees_another_form():
    assert check_completion_table("connect\t--dest= --help\tshow\n") == []
    assert check_completion_table("connect --dest\tshow\n") != []
    assert check_completion_table("connect\t/dest:\tshow\n") != []
    assert check_completion_table("a\t--b\tc\na\t--b\tc\n") != []
    assert check_completion_table("") != []
