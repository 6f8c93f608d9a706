"""What a stream says, sequence by sequence, and what the model's own tables say that it understands.

A key names one thing that a program can ask for: `CSI ? W`, `SGR 53`, `set ?2004`, `OSC 104`, `DECRQSS m`, `C0 0e`."""

import re

import streams

SOURCES = streams.TESTS.parent / "src/vt"

# One token of a stream that is valid UTF-8: a string, a control sequence, an escape, a control, or anything else.
TOKEN = re.compile(
    r"(?P<string>(?:\x1b\]|\x1bP|[\x90\x9d])(?P<payload>[^\x1b\x07\x18\x1a]*)(?:\x1b\\|\x07|\x9c))"
    r"|(?P<csi>(?:\x1b\[|\x9b)(?P<prefix>[<=>?]?)(?P<numbers>[0-9;:]*)(?P<between>[ -/]*)(?P<final>[@-~]))"
    r"|(?P<esc>\x1b(?P<intermediate>[ -/]?)(?P<last>[0-~]))"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f\x80-\x9f])", re.DOTALL)
MODES = {"h": "set", "l": "reset", "s": "save", "r": "restore"}


def tokens(data):
    """(text, parts, maker) of each token: `parts` are (keys, text) of what can be taken out by itself, and maker puts the
    token together again of those that are left."""
    text = data.decode("utf-8", "surrogateescape")
    at = 0
    for match in TOKEN.finditer(text):
        yield text[at:match.start()], [], None
        at = match.end()
        kind = next(name for name in ("string", "csi", "esc", "control") if match[name] is not None)
        yield match[0], *{"string": of_string, "csi": of_csi, "esc": of_escape, "control": of_control}[kind](match)
    yield text[at:], [], None


def whole(keys, text):
    return [(keys, text)], "".join


def of_control(match):
    return whole({f"{'C1' if match[0] >= chr(0x80) else 'C0'} {ord(match[0]):02x}"}, match[0])


def of_escape(match):
    between, last = match["intermediate"], match["last"]
    keys = {f"ESC {between}{last}"}
    if between == "" and "@" <= last <= "_":
        keys.add(f"C1 {ord(last) + 0x40:02x}")
    return whole(keys, match[0])


def of_string(match):
    payload = match["payload"]
    if match[0].startswith(("\x1b]", "\x9d")):
        number, _, rest = payload.partition(";")
        query = rest.split(";")[-1] == "?"
        return whole({f"OSC {number}", *([f"OSC {number} ?"] if query else [])}, match[0])
    name = payload[:2]
    return whole({f"DCS {name}", *([f"DECRQSS {payload[2:]}"] if name == "$q" else [])}, match[0])


def of_csi(match):
    prefix, between, final = match["prefix"], match["between"], match["final"]
    name = f"CSI {prefix}{between}{final}"
    numbers = match["numbers"]
    verb = MODES.get(final) if between == "" and (prefix == "?" or (prefix == "" and final in "hl")) else None

    def maker(parts):
        return match[0][:match.start("numbers") - match.start()] + ";".join(parts) + between + final if parts else ""

    if verb is not None:
        return [({name, f"{verb} {prefix}{n}"}, n) for n in numbers.split(";")], maker
    if name == "CSI m":
        return [({name, *looks(part)}, part) for part in sgr_parts(numbers)], maker
    first = numbers.split(";")[0].lstrip("0") or "0"
    second = (numbers.split(";") + [""])[1].lstrip("0") or "0"
    return whole({name, f"{name} {first}", f"{name} {first};{second}"}, match[0])


def sgr_parts(numbers):
    """The parameters of SGR, each colour in one piece."""
    left = numbers.split(";")
    while left:
        n = {"5": 3, "2": 5}.get(left[1], 1) if left[0] in ("38", "48", "58") and len(left) > 1 else 1
        yield ";".join(left[:n])
        left = left[n:]


def looks(part):
    first = re.split("[;:]", part)[0] or "0"
    yield f"SGR {first}"
    if part.startswith("4:"):
        yield f"SGR {part}"
    if first in ("38", "48", "58"):
        yield f"SGR {part[:4]}"


def keys_of(data):
    return {key for _, parts, _ in tokens(data) for keys, _ in parts for key in keys}


def without(data, key):
    """The stream without what this key names."""
    out = []
    for text, parts, maker in tokens(data):
        left = [part for keys, part in parts if key not in keys]
        out.append(text if len(left) == len(parts) else maker(left))
    return "".join(out).encode("utf-8", "surrogateescape")


# --- what the model understands: its own tables ---------------------------------------------------------------------


def source(name):
    return re.sub(r"/\*.*?\*/", " ", (SOURCES / name).read_text(), flags=re.DOTALL)


def body(text, function):
    """What stands between the braces of a function."""
    found = re.search(r"\b" + function + r"\([^;{}]*\)\s*\{(.*?)^\}", text, re.DOTALL | re.MULTILINE)
    assert found, f"{function} is not there"
    return found[1]


def cases(text):
    """The case labels: characters as they are, numbers as numbers."""
    for label in re.findall(r"\bcase\s+('(?:\\.|[^'])'|0x[0-9a-fA-F]+|\d+)\s*:", text):
        if label[0] == "'":
            yield {"\\r": "\r", "\\n": "\n", "\\v": "\v", "\\f": "\f", "\\b": "\b", "\\t": "\t", "\\a": "\a"}.get(
                label[1:-1], label[1:-1])
        else:
            yield int(label, 0)


def control_sequences():
    text = source("csi.c")
    plain = re.search(r"plain\[\] = \{(.*?)\n\};", text, re.DOTALL)[1]
    for final, handler in re.findall(r"\['(.)' - '@'\] = \{ (\w+)", plain):
        if handler != "NULL":
            yield f"CSI {final}"
    others = re.search(r"others\[\] = \{(.*?)\n\};", text, re.DOTALL)[1]
    character = r"(0|'(?:\\.|.)')"
    for row in re.findall(r"\{ " + ", ".join([character] * 3) + r", \{", others):
        yield "CSI " + "".join("" if c == "0" else c[1:-1].replace("\\'", "'") for c in row)
    for function, name in (("erase_display", "J"), ("erase_line", "K")):
        for number in cases(body(text, function)):
            yield f"CSI {name} {number}"
            if number != 3:
                yield f"CSI ?{name} {number}"
    for number in cases(body(text, "csi_tab_clear")):
        yield f"CSI g {number}"
    for number in cases(body(text, "csi_kitty_set")):
        yield from (f"CSI =u {flags};{number}" for flags in (1, 2) if number > 1 or flags == 1)
    yield from (f"CSI t {what};{which}" for what in (22, 23) for which in (0, 1, 2))
    yield from (f'CSI  q {shape}' for shape in range(7))
    yield from ('CSI "q 0', 'CSI "q 1', "CSI *x 1", "CSI *x 2")


def escapes():
    text = source("control.c")
    for final in cases(body(text, "escape_plain")):
        yield f"ESC {final}"
    for between in cases(body(text, "vt_escape")):
        finals = "34568" if between == "#" else "0AB"
        yield from (f"ESC {between}{final}" for final in finals)
    for control in cases(body(text, "execute_c1")):
        yield f"C1 {control:02x}"
    for control in cases(body(text, "vt_control")):
        yield f"C0 {control if isinstance(control, int) else ord(control):02x}"


def strings():
    text = source("osc.c")
    for number in cases(body(text, "vt_osc")):
        yield f"OSC {number}"
        if number in (4, 10, 11, 12, 52):
            yield f"OSC {number} ?"
    yield from ("DCS $q", "DCS +q")
    for name in re.findall(r'strcmp\(what, "((?:\\.|[^"\\])*)"\)', source("reply.c")):
        yield "DECRQSS " + name.replace('\\"', '"')


def reports():
    text = source("reply.c")
    for number in cases(body(text, "vt_reply_window")):
        yield f"CSI t {number}"
    status = body(text, "vt_reply_status")
    for number in cases(status):
        yield f"CSI ?n {number}"
    for number in re.findall(r"what == (\d+)", status):
        yield f"CSI n {number}"


def attributes():
    text = source("sgr.c")
    simple = re.search(r"simple\[\] = \{(.*?)\n\};", text, re.DOTALL)[1]
    for number in re.findall(r"\[(\d+)\] =", simple):
        yield f"SGR {number}"
    function = body(text, "one")
    for number in cases(function):
        yield f"SGR {number}"
    for first, last in re.findall(r"value >= (\d+) && value <= (\d+)", function):
        yield from (f"SGR {number}" for number in range(int(first), int(last) + 1))
    yield from (f"SGR 4:{style}" for style in range(6))
    yield from (f"SGR {number}{mark}{kind}" for number in (38, 48, 58) for mark in ";:" for kind in "25")


def modes():
    row = re.compile(r"(?:BIT\((\d+), (true|false)|\{ (\d+), true, (VT_KIND_\w+))")
    for bit, private, number, kind in row.findall(source("modes.c").replace("#define BIT(number", "")):
        mode = ("?" if private == "true" else "") + bit if bit else "?" + number
        yield from (f"{verb} {mode}" for verb in ("set", "reset"))
        if mode.startswith("?") and kind not in ("VT_KIND_ALTERNATE", "VT_KIND_SAVE"):
            yield from (f"{verb} {mode}" for verb in ("save", "restore"))


def understood():
    """All keys, each once."""
    every = [*control_sequences(), *escapes(), *strings(), *reports(), *attributes(), *modes()]
    return sorted(set(every))
