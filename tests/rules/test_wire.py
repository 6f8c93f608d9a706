"""The manual of the wires says what the contracts in src/protocol/ say: every method, type, error, message and byte."""

import re
import shutil
import subprocess

import tree

PROTOCOL = tree.ROOT / "src/protocol"
CONTROL_PAGE = tree.ROOT / "man/termserv-control.7.scd"
LINK_PAGE = tree.ROOT / "man/termserv-link.7.scd"


def parse_idl(text):
    """(methods: name -> "(a: int) -> (b: int)", types: name -> [(field, type)], errors: {name})"""
    bare = re.sub(r"#[^\n]*", "", text)
    methods = {name: signature(rest) for name, rest in
               re.findall(r"\bmethod\s+(\w+)\s*(\([^)]*\)\s*->\s*\([^)]*\))", bare)}
    types = {name: re.findall(r"(\w+)\s*:\s*([\w?\[\]]+)", body)
             for name, body in re.findall(r"\btype\s+(\w+)\s*\(([^)]*)\)", bare)}
    return methods, types, set(re.findall(r"\berror\s+(\w+)", bare))


def signature(text):
    return re.sub(r"\s+", " ", text.replace("*", "")).replace("( ", "(").replace(" )", ")").strip()


def check_control_page(idl, page):
    """Complaints about methods whose line in the page differs, and fields or errors that it lacks."""
    methods, types, errors = parse_idl(idl)
    found = []
    shown = {name: signature(rest) for name, rest in re.findall(r"^\*(\w+)\*(\(.*\) -> \(.*\))$", page, re.M)}
    for name, rest in methods.items():
        if shown.get(name) != rest:
            found.append(f"method {name}{rest}: the page has {shown.get(name)}")
    found += [f"method {name} is not in the interface" for name in shown if name not in methods]
    for name, fields in types.items():
        entries = dict(field for line in re.findall(r"^\*\w+\*(?:, \*\w+\*)*: .*$", page, re.M)
                       for field in fields_of(line))
        found += [f"{name}.{field}: {kind}: the page has {entries.get(field)}"
                  for field, kind in fields if entries.get(field) != kind]
    table = dict(re.findall(r"^\|  \d+\n:  (\w+)\n(:)", page, re.M))
    found += [f"error {name} is not in the page" for name in errors - set(table)]
    return found


def fields_of(line):
    """(field, type) of "*a*: int, *b*: int" and of "*a*, *b*: ?int"."""
    kind = None
    for name, own in reversed(re.findall(r"\*(\w+)\*(?:: ([\w?\[\]]+))?", line)):
        kind = own or kind
        yield name, kind


def error_rows(header, source):
    """[(code, name, text)] of the table in error.c."""
    codes = dict(re.findall(r"(ERROR_\w+) = (\d+)", header))
    return [(codes[symbol], name, "".join(re.findall(r'"([^"]*)"', text)))
            for symbol, name, text in re.findall(r'\{\s*(ERROR_\w+), "(\w+)",\s*((?:"[^"]*"\s*)+)\}', source)]


def check_errors(rows, idl, page):
    errors = parse_idl(idl)[2]
    found = [f"{name} is in error.c and not in the interface" for _, name, _ in rows if name not in errors]
    found += [f"{name} is in the interface and not in error.c" for name in errors - {name for _, name, _ in rows}]
    for code, name, text in rows:
        if f"|  {code}\n:  {name}\n:  {text}\n" not in page:
            found.append(f"{code} {name}: the page lacks its row")
    return found


def enum_numbers(header, prefixes):
    """name -> number of the enumerators that begin with one of the prefixes and have a number of their own."""
    return {name: int(number, 0) for name, number in
            re.findall(rf"\b((?:{prefixes})_\w+)\s*=\s*(0x[0-9a-f]+|\d+)\s*[,\n]", tree.code(header))}


def check_numbers(numbers, page):
    shown = {name: int(number) for number, name in re.findall(r"^\|  (\d+)\n:  (\w+_\w+)$", page, re.M)}
    found = [f"{name} = {number}: the page has {shown.get(name)}" for name, number in numbers.items()
             if shown.get(name) != number]
    return found + [f"{name} is in the page alone" for name in shown
                    if name not in numbers and name.startswith(("LINK_", "CABLE_"))]


def page_layouts(page):
    """struct -> (size, [(offset, size, field)]) of the tables."""
    found = {}
    for name, size, table in re.findall(r"^\*struct (\w+)\* \((\d+) bytes\)\n\n((?:[|:].*\n)+)", page, re.M):
        found[name] = (int(size), [(int(o), int(s), f) for o, s, f in
                                   re.findall(r"^\|  (\d+)\n:  (\d+)\n:  (\w+)$", table, re.M)])
    return found


def compiled_layouts(layouts, folder):
    """The same as the compiler sees it."""
    lines = ["#include <stddef.h>", "#include <stdio.h>"]
    lines += [f'#include "protocol/{h}.h"' for h in ("link", "warrant", "cable", "spec")] + ["int main(void) {"]
    for name, (_, fields) in layouts.items():
        lines.append(f'printf("{name} %zu\\n", sizeof(struct {name}));')
        lines += [f'printf("{name} %zu %zu {f}\\n", offsetof(struct {name}, {f}), sizeof(((struct {name} *)0)->{f}));'
                  for _, _, f in fields]
    (folder / "layout.c").write_text("\n".join(lines) + "\nreturn 0;\n}\n")
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    assert compiler, "no C compiler"
    subprocess.run([compiler, "-D_GNU_SOURCE", "-I", tree.ROOT / "src", folder / "layout.c", "-o", folder / "layout"], check=True)
    found = {}
    for line in subprocess.run([folder / "layout"], capture_output=True, text=True, check=True).stdout.splitlines():
        words = line.split()
        if len(words) == 2:
            found[words[0]] = (int(words[1]), [])
        else:
            found[words[0]][1].append((int(words[1]), int(words[2]), words[3]))
    return found


def wire_structs():
    text = "".join((PROTOCOL / f"{h}.h").read_text() for h in ("link", "warrant", "cable", "spec"))
    inner = {"cable_frame", "spec"}  # not on any wire
    bodies = re.findall(r"^struct (\w+) \{\n(.*?)^\};", tree.code(text), re.M | re.S)
    return {name: re.findall(r"(\w+)(?:\[\w+\])?\s*[,;]", body) for name, body in bodies if name not in inner}


def test_the_manual_has_every_method_type_and_error_of_the_interface():
    assert check_control_page((PROTOCOL / "io.termserv.Control.varlink").read_text(), CONTROL_PAGE.read_text()) == []


def test_errors_are_the_same_in_table_interface_and_manual():
    rows = error_rows((PROTOCOL / "error.h").read_text(), (PROTOCOL / "error.c").read_text())
    numbers = enum_numbers((PROTOCOL / "error.h").read_text(), "ERROR")
    assert len(rows) == len(numbers) - 1  # all but ERROR_NONE
    assert check_errors(rows, (PROTOCOL / "io.termserv.Control.varlink").read_text(), CONTROL_PAGE.read_text()) == []


def test_the_manual_has_every_message_with_its_number():
    numbers = enum_numbers((PROTOCOL / "link.h").read_text(), "LINK")
    numbers |= enum_numbers((PROTOCOL / "cable.h").read_text(), "CABLE")
    numbers = {n: v for n, v in numbers.items() if not n.startswith("CABLE_CLASS_")}
    assert numbers["LINK_START"] == 40 and numbers["CABLE_OUTPUT"] == 8
    assert check_numbers(numbers, LINK_PAGE.read_text()) == []


def test_the_layouts_of_the_manual_are_those_of_the_compiler(tmp_path):
    layouts = page_layouts(LINK_PAGE.read_text())
    assert {name: {f for _, _, f in fields} for name, (_, fields) in layouts.items()} == \
        {name: set(fields) for name, fields in wire_structs().items()}
    assert layouts == compiled_layouts(layouts, tmp_path)


# What follows proves that each check can fail.

IDL = "method A(x: ?int) -> (y: string)\ntype T (\n  # why\n  f: ?int,\n  g: int\n)\nerror Busy (code: int)\n"
PAGE = "*A*(*x*: ?int) -> (*y*: string)\n\n*f*: ?int, *g*: int\n\n|  7024\n:  Busy\n:  It is busy.\n"


def test_the_interface_check_sees_each_difference():
    assert check_control_page(IDL, PAGE) == []
    assert check_control_page(IDL, PAGE.replace("?int)", "int)")) != []
    assert check_control_page(IDL, PAGE.replace("*g*: int", "*g*: string")) != []
    assert check_control_page(IDL, PAGE.replace("Busy", "Bus")) != []
    assert check_control_page(IDL, PAGE + "*B*() -> ()\n") != []
    assert check_errors([("7024", "Busy", "It is busy.")], IDL, PAGE) == []
    assert check_errors([("7024", "Busy", "Is it?")], IDL, PAGE) != []
    assert check_errors([], IDL, PAGE) != []


def test_the_number_check_sees_a_wrong_and_a_missing_number():
    numbers = enum_numbers("enum x {\n\tLINK_A = 1, /* LINK_Z = 9, */\n\tLINK_B = 0x10,\n};\n", "LINK")
    assert numbers == {"LINK_A": 1, "LINK_B": 16}
    page = "|  1\n:  LINK_A\n:  a\n|  16\n:  LINK_B\n:  b\n"
    assert check_numbers(numbers, page) == []
    assert check_numbers(numbers, page.replace("16", "17")) != []
    assert check_numbers({"LINK_A": 1}, page) != []


def test_the_layout_check_sees_a_wrong_offset(tmp_path):
    page = "*struct cable_size* (8 bytes)\n\n|  0\n:  2\n:  rows\n:  a\n|  4\n:  2\n:  columns\n:  b\n"
    layouts = page_layouts(page)
    assert layouts == {"cable_size": (8, [(0, 2, "rows"), (4, 2, "columns")])}
    assert compiled_layouts(layouts, tmp_path) == {"cable_size": (8, [(0, 2, "rows"), (2, 2, "columns")])}
