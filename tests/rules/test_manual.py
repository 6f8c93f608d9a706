"""The manual: every command, option, setting, program and field of the JSON has its place, and every page is well-formed."""

import json
import os
import re
import subprocess

import pytest
import tree

PAGES = tree.files("man/*.scd")


def rendered(source):
    """The page as man shows it, without formatting; complaints of scdoc or man fail."""
    page = subprocess.run(["scdoc"], input=source, capture_output=True, text=True, check=False)
    assert page.returncode == 0 and page.stderr == "", page.stderr
    shown = subprocess.run(["man", "--warnings", "--no-hyphenation", "--no-justification", "-l", "-"], input=page.stdout,
                           capture_output=True, text=True, check=False,
                           env={"PATH": "/usr/bin:/bin", "MANWIDTH": "400", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"})
    assert shown.returncode == 0 and shown.stderr == "", shown.stderr
    return shown.stdout


def section(page, heading):
    match = re.search(rf"^{heading}\n((?:[ \t].*\n|\n)+)", page, re.M)
    return match[1] if match else ""


def check_page(name, page):
    """The name stands in the head and in NAME, and the obligatory sections are there."""
    found = []
    stem, number = re.match(r"(.+)\.(\d)\.scd$", name).groups()
    if not page.startswith(f"{stem}({number})"):
        found.append(f"{name}: the head is {page.splitlines()[0].split()[0]}")
    if not re.search(rf"\b{re.escape(stem)}\b.* - \S", section(page, "NAME")):
        found.append(f"{name}: NAME does not say what it is")
    wanted = ["DESCRIPTION", "SEE ALSO"] + (["SYNOPSIS"] if number in "18" else [])
    return found + [f"{name}: has no {heading}" for heading in wanted if not section(page, heading)]


def check_references(name, source, pages):
    """Pages of ours that a page refers to exist, by their own name or an alias."""
    ours = [f"{n}({s})" for n, s in re.findall(r"\*([\w.-]+)\*\((\d)\)", source)]
    known = {"varlinkctl(1)", "unix(7)", "ssh(1)", "ssh_config(5)", "sshd_config(5)", "chsh(1)"}
    return [f"{name}: refers to {reference}" for reference in ours if reference not in pages | known]


def page_names():
    listed = (tree.ROOT / "man/meson.build").read_text()
    return {f"{n}({s})" for n, s in re.findall(r"'([\w.-]+)\.(\d)'", listed)}


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_page_is_well_formed(path):
    source = path.read_text()
    assert check_page(path.name, rendered(source)) == []
    assert check_references(path.name, source, page_names()) == []
    assert f"'{path.name.removesuffix('.scd')}'" in (tree.ROOT / "man/meson.build").read_text()


def test_every_program_and_alias_has_a_page():
    built = (tree.ROOT / "bin/meson.build").read_text()
    names = re.findall(r"'(termserv[\w-]*)':", built) + re.findall(r"'(\w+)'", re.search(r"aliases = \[([^\]]*)\]", built)[1])
    assert len(names) >= 14
    pages = {name.split("(")[0] for name in page_names()}
    assert [name for name in names if name not in pages] == []


# Which section the lines of a function of server_parse.c are of; those of the console and of a terminal share one.
SERVER_SECTIONS = {"server_line": ["server"], "listener_line": ["listener NAME"], "terminal_line": ["console", "terminal NAME"]}
ONE_SECTION_ONLY = {"rules": "console", "listener": "terminal NAME"}


def settings_of_users(source):
    return re.findall(r'^\t\{ "(\w+)", "([\w-]+)",', source, re.M)


def settings_of_servers(source):
    found = []
    for function, sections in SERVER_SECTIONS.items():
        body = re.search(r"^static void %s\(.*?^}" % function, source, re.M | re.S)[0]
        found += [(section, name) for name in re.findall(r'strcmp\(name, "([\w-]+)"\)', body) for section in sections
                  if ONE_SECTION_ONLY.get(name, section) == section]
    return found


def check_settings(rows, page):
    """Each row of the tables of settings has an entry in its section of termserv.conf(5), and the page has no other."""
    shown = []
    for part in re.split(r"^# ", page, flags=re.M):
        shown += [(part.split("]")[0].strip("["), name) for name in re.findall(r"^\*([\w-]+)\* =", part, re.M)]
    assert rows
    return [f"{row} is not in the page" for row in rows if row not in shown] + \
        [f"{row} is in the page alone" for row in shown if row not in rows]


def test_every_setting_is_in_the_manual():
    users = settings_of_users((tree.ROOT / "src/config/user_config.c").read_text())
    servers = settings_of_servers((tree.ROOT / "src/config/server_parse.c").read_text())
    assert len(users) >= 5 and len(servers) >= 15
    assert check_settings(users + servers, (tree.ROOT / "man/termserv.conf.5.scd").read_text()) == []


def rights_of_the_code(header):
    """level -> set of rights, from the macros of src/config/right.h."""
    header = header.replace("\\\n", " ")
    macros = {name: set() for name in ("GUEST", "USER", "FULL", "OWN_GUEST", "OWN")}
    for name in macros:
        body = re.search(r"^#define RIGHTS_%s\s+(.*)$" % name, header, re.M)[1]
        for word, right in re.findall(r"\b(RIGHTS|RIGHT)_(\w+)", body):
            macros[name] |= macros[right] if word == "RIGHTS" else {right}
    return {"Guest": macros["GUEST"], "User": macros["USER"], "Full": macros["FULL"], "Owner": macros["OWN"],
            "Owner without any right but LOGON": macros["OWN_GUEST"]}


def rights_of_the_page(page):
    return {name.strip(): set(rights.split()) for name, rights in re.findall(r"^\|  (.+)\n:  ([A-Z ]+)$", page, re.M)}


def test_the_rights_of_the_manual_are_those_of_the_code():
    page = rights_of_the_page((tree.ROOT / "man/termserv.conf.5.scd").read_text())
    assert rights_of_the_code((tree.ROOT / "src/config/right.h").read_text()) == page
    assert len(page["Full"]) == 10


def usage_lines(page):
    """The lines of SYNOPSIS, each as one line with single blanks."""
    return [" ".join(line.split()) for line in section(page, "SYNOPSIS").splitlines() if line.strip()]


def command_pages():
    """command -> (usage as `termserv help` prints it, options, the rendered page that has that usage or "")."""
    pages = [rendered(path.read_text()) for path in tree.files("man/*.1.scd")]
    found = {}
    for line in tree.program("termserv", "help", "--completion").stdout.splitlines():
        name, options, _ = line.split("\t")
        usage = tree.program("termserv", "help", *name.split()).stdout.splitlines()[0].removeprefix("Usage: ")
        found[name] = (usage, options.split(), next((page for page in pages if usage in usage_lines(page)), ""))
    assert len(found) >= 12
    return found


def check_options(name, options, page, common):
    """Each option of the command is explained in its page, or among the common ones of termserv(1), in one spelling or the other."""
    entries = "\n".join(re.findall(r"^ {7}((?:/|-).*)$", section(page, "OPTIONS") + section(common, "OPTIONS"), re.M))
    short = {"verbose": "v", "help": r"\?"}
    return [f"{name}: {option} is not in its page" for option in (o.strip("-=") for o in options)
            if not re.search(rf"(--{option}|/({option}|{short.get(option, option)}))(?![\w-])", entries)]


def test_every_command_has_a_page_with_its_synopsis():
    assert {name: usage for name, (usage, _, page) in command_pages().items() if not page} == {}


def test_every_option_of_every_command_is_in_the_manual():
    common = rendered((tree.ROOT / "man/termserv.1.scd").read_text())
    assert [line for name, (_, options, page) in command_pages().items()
            for line in check_options(name, options, page, common)] == []


def test_every_option_of_termservd_is_in_the_manual():
    options = re.findall(r"--[a-z-]+", tree.program("termservd", "--help").stdout)
    assert "--runtime-dir" in options
    assert check_options("termservd", options, rendered((tree.ROOT / "man/termservd.8.scd").read_text()), "") == []


def test_every_command_is_in_the_table_of_the_readme_and_of_the_overview():
    readme = (tree.ROOT / "README.md").read_text()
    overview = section(rendered((tree.ROOT / "man/termserv.1.scd").read_text()), "COMMANDS")
    for name in command_pages():
        if name not in ("help", "version"):
            assert re.search(rf"^\|.*`(termserv )?{name}`.*\|$", readme, re.M), name
            assert re.search(rf"\b{name}\b", overview), name


@pytest.fixture
def server(tmp_path):
    """A server of its own with one detached session; a function that runs a command there."""
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    environment = {**os.environ, "TERMSERV_RUNTIME_DIR": str(folder)}

    def run(*arguments):
        return subprocess.run([tree.BIN / "termserv", *arguments], env=environment, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=120, check=False)
    started = run("logon", "--detached", "--", "cat")
    assert started.returncode == 0, started.stderr
    yield run
    assert run("stop", "--force").returncode == 0


def check_fields(sessions, page):
    """Each member of a session is an entry of JSON, and each entry is a member."""
    entries = {field for line in section(page, "JSON").splitlines() if re.match(r" {7}\w+(, \w+)*: ", line)
               for field in re.findall(r"\w+", re.sub(r": \S+?(?=,|$)", "", line))}
    members = {field for session in sessions for field in session}
    return [f"{field}: in one of page and answer only" for field in sorted(entries ^ members)]


def test_every_field_of_the_json_is_in_the_manual(server):
    answer = json.loads(server("query", "session", "--json").stdout)
    page = rendered((tree.ROOT / "man/query-session.1.scd").read_text())
    assert answer["version"] == 1 and len(answer["sessions"]) == 1
    assert check_fields(answer["sessions"], page) == []
    assert [key for key in answer if key not in section(page, "JSON")] == []


# What follows proves that each check can fail.

def test_the_page_checks_see_a_bad_page():
    source = 'x(1) "termserv"\n\n# NAME\n\nx - does x\n\n# SYNOPSIS\n\nx\n\n# DESCRIPTION\n\nx\n\n# SEE ALSO\n\n*y*(1)\n'
    assert check_page("x.1.scd", rendered(source)) == []
    assert check_page("y.1.scd", rendered(source)) != []
    assert check_page("x.1.scd", rendered(source.replace("# SYNOPSIS\n\nx\n\n", ""))) != []
    assert check_page("x.1.scd", rendered(source.replace("x - does x", "x"))) != []
    assert check_references("x", source, {"x(1)"}) != [] and check_references("x", source, {"y(1)"}) == []
    with pytest.raises(AssertionError):
        rendered("x(1)\n\n|[ a\n:\n")


def test_the_settings_check_sees_a_missing_entry():
    table = settings_of_users('\t{ "session", "shell", set_shell, "x" },\n')
    page = "# [session]\n\n*shell* = _path_\n"
    assert check_settings(table, page) == []
    assert check_settings(table, page.replace("session", "terminal")) != []
    assert check_settings(table, page + "\n*colour* = x\n") != []
    body = 'static void %s(int x)\n{\n\tstrcmp(name, "rules") == strcmp(name, "line");\n}\n'
    source = "".join(body % function for function in SERVER_SECTIONS)
    assert ("console", "rules") in settings_of_servers(source) and ("terminal NAME", "rules") not in settings_of_servers(source)
    assert ("terminal NAME", "line") in settings_of_servers(source)


def test_the_rights_check_sees_another_level():
    header = "".join("#define RIGHTS_%s ((unsigned)RIGHT_LOGON)\n" % name for name in ("GUEST", "FULL", "OWN_GUEST", "OWN")) + \
        "#define RIGHTS_USER \\\n\t(RIGHTS_GUEST | RIGHT_QUERY)\n"
    assert rights_of_the_code(header)["User"] == {"LOGON", "QUERY"}
    assert rights_of_the_page("|  Guest\n:  LOGON\n|  None\n:  denies\n") == {"Guest": {"LOGON"}}


def test_the_option_check_sees_an_option_without_an_entry():
    page = "OPTIONS\n       /dest:name\n           Where.\n\n       --watch\n           Again.\n\nEND\n"
    common = "OPTIONS\n       /v\n           Say it.\n\n       /?\n           Help.\n"
    assert check_options("x", ["--dest=", "--watch", "--verbose", "--help"], page, common) == []
    assert check_options("x", ["--size="], page, common) != []
    assert check_options("x", ["--des="], page, common) != []


def test_the_field_check_sees_a_field_on_one_side_only():
    page = "JSON\n       id: ?int\n           The ID.\n\n       rows: int, columns: int\n           The size.\n"
    assert check_fields([{"id": 1, "rows": 1, "columns": 1}], page) == []
    assert check_fields([{"id": 1, "rows": 1}], page) != []
    assert check_fields([{"id": 1, "rows": 1, "columns": 1, "name": None}], page) != []
    assert usage_lines("SYNOPSIS\n       a [b]  [/c]\n\nX\n") == ["a [b] [/c]"]
