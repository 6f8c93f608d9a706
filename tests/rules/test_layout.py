"""Rooms and sizes: who may include whom, how a header looks, how long a file and a function may be."""

import re
from pathlib import Path

import tree

# base <- config, protocol, vt <- everything else. A room may always include itself.
BELOW = {
    "base": set(),
    "config": {"base"},
    "protocol": {"base"},
    "vt": {"base"},
    "termservd": {"base", "protocol"},
    "broker": {"base", "config", "protocol"},
    "leader": {"base", "protocol", "host"},
    "host": {"base", "protocol", "vt"},
    "door/tty": {"base", "protocol", "vt"},
    "door/x11": {"base", "protocol"},
    "cli": {"base", "config", "protocol", "door/tty"},
}
LINES_MAX = 600
FUNCTION_MAX = 100


def room_of(path):
    """ "door/tty" for "door/tty/attach.h", "base" for "base/buf.h"; None for what lies in no room."""
    parts = Path(path).parts
    if len(parts) > 2 and parts[0] == "door":
        return "/".join(parts[:2])
    return parts[0] if len(parts) > 1 else None


def check_includes(path, text):
    """Complaints about the quoted includes of src/`path`."""
    room = room_of(path)
    found = []
    if room not in BELOW:
        return [f"{path}: lies in a room that BELOW does not know: {room}"]
    for number, line in enumerate(tree.code(text, keep_strings=True).split("\n"), 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if match is None or match[1] == "width_tables.h":  # made at build time, in no folder
            continue
        target = room_of(match[1])
        if target is None or match[1].startswith("."):
            found.append(f'{path}:{number}: "{match[1]}" does not name its folder')
        elif target != room and target not in BELOW[room]:
            found.append(f"{path}:{number}: {room} must not include {target}")
    return found


def check_length(path, text):
    lines = text.count("\n")
    return [f"{path}: {lines} lines, {LINES_MAX} are the most"] if lines > LINES_MAX else []


def functions(text):
    """(name, first line, lines) of each function: clang-format puts a body's braces, and nothing else, in column 0."""
    lines = tree.code(text).split("\n")
    start = None
    for i, line in enumerate(lines):
        if line == "{":
            start = i
        elif line == "}" and start is not None:
            head = start - 1
            while head > 0 and lines[head - 1] and not lines[head - 1].startswith(("}", "#")) \
                    and lines[head - 1][-1] not in ";":
                head -= 1
            names = re.findall(r"(\w+)\s*\(", " ".join(lines[head:start]))
            yield (next((n for n in names if n not in ("__attribute__", "format")), "?"), head + 1, i - head + 1)
            start = None


def check_functions(path, text):
    return [f"{path}:{line}: {name}() has {count} lines, {FUNCTION_MAX} are the most"
            for name, line, count in functions(text) if count > FUNCTION_MAX]


def check_header(path, text):
    """#pragma once is the first thing that is not a comment, and there are no other guards."""
    first = tree.code(text).strip().split("\n")[0].strip()
    return [] if first == "#pragma once" else [f"{path}: begins with {first!r} instead of #pragma once"]


def check_head_comment(path, text):
    """Each header says first what it owns."""
    return [] if text.startswith("/*") else [f"{path}: does not begin with a comment that says what it is"]


def sources():
    found = tree.c_files("src")
    assert len(found) > 40, "the sources were not found"
    return [(path.relative_to(tree.ROOT / "src"), path.read_text()) for path in found]


def all_c():
    return [(tree.name(path), path.read_text()) for path in tree.c_files("src", "tests", "bench")]


def complaints(check, pairs):
    return [line for path, text in pairs for line in check(path, text)]


def test_rooms_include_only_what_lies_below_them():
    assert complaints(check_includes, sources()) == []


def test_no_file_is_longer_than_600_lines():
    texts = all_c() + [(tree.name(p), p.read_text()) for p in tree.files("**/*.py", "data/*", "run", "test")]
    assert complaints(check_length, texts) == []


def test_no_function_is_longer_than_100_lines():
    assert complaints(check_functions, all_c()) == []


def test_every_header_has_pragma_once_and_a_head_comment():
    headers = [(path, text) for path, text in sources() if path.suffix == ".h"]
    assert complaints(check_header, headers) == []
    assert complaints(check_head_comment, headers) == []


def test_every_function_body_was_seen():
    """The reader of functions misses none: each line that is a lone opening brace in column 0 belongs to one."""
    for path, text in all_c():
        bodies = tree.code(text).split("\n").count("{")
        assert bodies == len(list(functions(text))), path


# What follows proves that each check can fail.

def test_the_include_check_sees_a_foreign_room():
    assert check_includes(Path("base/buf.c"), '#include "base/buf.h"\n#include <errno.h>\n') == []
    assert check_includes(Path("cli/main.c"), '#include "door/tty/attach.h"\n') == []
    assert check_includes(Path("base/buf.c"), '#include "vt/cell.h"\n') != []
    assert check_includes(Path("vt/screen.c"), '#include "protocol/link.h"\n') != []
    assert check_includes(Path("broker/main.c"), '#include "host/pty.h"\n') != []
    assert check_includes(Path("host/main.c"), '#include "door/tty/attach.h"\n') != []
    assert check_includes(Path("door/tty/attach.c"), '#include "cli/table.h"\n') != []
    assert check_includes(Path("door/x11/main.c"), '#include "door/tty/attach.h"\n') != []
    assert check_includes(Path("host/main.c"), '#include "door/x11/relay.h"\n') != []
    assert check_includes(Path("cli/main.c"), '#include "table.h"\n') != []
    assert check_includes(Path("cli/main.c"), '#include "../base/buf.h"\n') != []
    assert check_includes(Path("door/rdp/main.c"), "") != []
    assert check_includes(Path("base/buf.c"), '/* #include "vt/cell.h" */\n') == []


def test_the_length_checks_count():
    assert check_length("a.c", "x\n" * 600) == []
    assert check_length("a.c", "x\n" * 601) != []
    body = "static int f(int a,\n\tint b)\n{\n" + "\tx();\n" * 96 + "}\n"
    assert list(functions("int x;\n\n" + body)) == [("f", 3, 100)]
    assert check_functions("a.c", body) == []
    assert check_functions("a.c", body.replace("{\n", "{\n\n")) != []
    assert [f[0] for f in functions(body + "\nvoid g(void)\n{\n}\n")] == ["f", "g"]


def test_the_header_checks_see_a_guard_and_a_bare_start():
    good = "/* What it is. */\n#pragma once\n\nint f(void);\n"
    assert check_header("a.h", good) == [] and check_head_comment("a.h", good) == []
    assert check_header("a.h", "/* X */\n#ifndef A_H\n#define A_H\n#endif\n") != []
    assert check_head_comment("a.h", "#pragma once\n") != []
