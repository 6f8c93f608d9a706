"""What is installed beside the programs agrees with them: units, accounts, paths, the configuration's example."""

import configparser
import re
import shutil
import subprocess

import pytest
import tree

DATA = tree.ROOT / "data"
UNITS = ["termserv.service.in", "termserv.socket", "termserv-terminal@.service.in"]
PROGRAMS = set(re.findall(r"'(termserv[\w-]*)':", (tree.ROOT / "bin/meson.build").read_text()))


def constant(path, name):
    """The text of `#define NAME "text"`."""
    return re.search(r'#define\s+%s\s+"([^"]*)"' % name, (tree.ROOT / path).read_text()).group(1)


def read_unit(name):
    """{section: {key: [values]}} in the unit's own order."""
    unit, section = {}, None
    for line in (DATA / "systemd" / name).read_text().splitlines():
        if line.startswith("["):
            section = unit.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return unit


def check_command(line):
    """A unit's command is one of ours with options that this one's help knows."""
    words = line.split()
    program = words[0].removeprefix("@bindir@/")
    if program not in PROGRAMS:
        return [f"{program} is no program of ours"]
    known = subprocess.run([tree.BIN / program, *[w for w in words[1:] if re.fullmatch("[a-z]+", w)], "--help"], text=True,
                           stdout=subprocess.PIPE, check=True).stdout
    return [f"{program} has no {word}" for word in words[1:] if word.startswith("--") and word not in known]


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service.in")])
def test_a_unit_starts_our_program_with_options_that_it_has(name):
    for command in read_unit(name)["Service"]["ExecStart"]:
        assert check_command(command) == []


def test_the_check_of_commands_sees_a_wrong_one():
    assert check_command("@bindir@/termservd --systems")
    assert check_command("@bindir@/termserv logon --terminals X")
    assert check_command("/bin/true --system")


def test_folders_and_sockets_are_the_programs_own():
    runtime = constant("src/base/runtime.h", "RUNTIME_SYSTEM_PATH")
    service, socket = read_unit(UNITS[0])["Service"], read_unit(UNITS[1])["Socket"]
    assert ["/run/" + folder for folder in service["RuntimeDirectory"]] == [runtime]
    assert socket["ListenStream"] == [f"{runtime}/{constant('src/termservd/server.c', 'CONTROL_SOCKET')}"]
    assert (socket["SocketMode"], socket["DirectoryMode"], service["RuntimeDirectoryMode"]) == (["0666"], ["0755"], ["0755"])


def test_the_configuration_lies_where_all_programs_look():
    path = constant("src/termservd/main.c", "CONFIG_PATH")
    assert path == constant("src/config/server_config.h", "SERVER_CONFIG_PATH")
    installed = dict(re.findall(r"install-kept', files\(([^)]*)\), '([^']*)'\)", (DATA / "meson.build").read_text()))
    assert installed == {"'termserv.conf'": path.rpartition("/")[0], "'pam.d' / 'termserv'": "/etc/pam.d"}


def test_accounts_are_made_for_all_who_need_one():
    made = re.findall(r"^u (\S+)", (DATA / "sysusers.conf").read_text(), re.M)
    assert constant("src/termservd/main.c", "ACCOUNT") in made
    assert set(read_unit(UNITS[2])["Service"]["User"]) <= set(made)
    named = re.findall(r"^#?user = (\S+)", (DATA / "termserv.conf").read_text(), re.M)
    assert named and set(named) <= set(made)


def check_accounts(text):
    """systemd-sysusers makes no account of a line whose description has a colon, and says so where nobody looks."""
    return [line for line in text.splitlines() if line.startswith("u ") and ":" in line.split('"')[1]]


def test_systemd_makes_each_account_of_the_file():
    text = (DATA / "sysusers.conf").read_text()
    assert len(re.findall("^u ", text, re.M)) == 2
    assert check_accounts(text) == []
    assert check_accounts('u x - "Terminal server: terminals" /run /bin/false\n')


def test_no_unit_is_given_up_after_some_failures():
    for name in (UNITS[0], UNITS[2]):
        assert read_unit(name)["Unit"]["StartLimitIntervalSec"] == ["0"], name


def test_nothing_confines_the_sessions_that_live_in_the_service():
    """sudo, mount, gdb, 32-bit programs and just-in-time compilers work in a session as after any login."""
    service = read_unit(UNITS[0])["Service"]
    confining = re.compile("Protect|Private|Restrict(?!PreventExitStatus)|System[Cc]all|Capability|NoNew|Lock|MemoryDeny|Device|ReadOnly|"
                           "Inaccessible|Limit|IPAddress|Memory|CPU|Nice|SecureBits|Ambient|Mount|Bind|Temporary|User|Group|Dynamic")
    assert [key for key in service if confining.match(key)] == []
    assert service["KillMode"] == ["process"]  # else they would end with it
    assert service["Type"] == ["notify"]
    assert service["RuntimeDirectoryPreserve"] == ["yes"]  # else they would be lost with it


def test_the_example_of_the_configuration_says_only_what_holds_without_it():
    text = (DATA / "termserv.conf").read_text()
    assert [line for line in text.splitlines() if line and not line.startswith(("#", "["))] == []
    bare = re.sub(r"^#(?=\[|[\w*@-]+ = )", "", text, flags=re.M)
    parsed = configparser.RawConfigParser(comment_prefixes="#", delimiters="=")
    parsed.read_string(bare)
    assert {"server", "rights", "console", "listener ssh"} <= set(parsed.sections())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_understands_the_units(tmp_path):
    for name in UNITS:
        text = (DATA / "systemd" / name).read_text().replace("@bindir@/termservd", "/bin/true").replace("@bindir@/termserv", "/bin/true")
        (tmp_path / name.removesuffix(".in").replace("@.", "@ttyS0.")).write_text(text)
    result = subprocess.run(["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert result.stdout == "" and result.returncode == 0


def test_installing_puts_everything_into_place_and_keeps_what_is_the_administrators(tmp_path):
    for expected in ("first", "second"):
        subprocess.run([DATA / "install-kept", DATA / "termserv.conf", "/etc/termserv"], check=True,
                       env={"DESTDIR": str(tmp_path), "PATH": "/usr/bin:/bin"}, stdout=subprocess.DEVNULL)
        installed = tmp_path / "etc/termserv/termserv.conf"
        if expected == "first":
            assert installed.read_text() == (DATA / "termserv.conf").read_text()
            installed.write_text("mine\n")
    assert installed.read_text() == "mine\n"
