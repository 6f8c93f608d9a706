"""What is fed to the model and to its oracles: scripts, fuzz corpora, captures, written sequences, random ones."""

import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
CORPUS_HEADS = {"vt_painter": 9, "vt_screen": 4}  # bytes of a seed that are no stream (HEAD in tests/fuzz/fuzz_NAME.c)


@dataclass
class Stream:
    name: str
    rows: int
    columns: int
    steps: list  # bytes, or (rows, columns) for another size


def scripts():
    """Each case of tests/vt/scripts, named FILE/N after its place in the file."""
    for path in sorted((TESTS / "vt/scripts").glob("*.test")):
        stream = None
        count = 0
        for line in path.read_text().splitlines():
            words = line.split()
            if line.startswith("!"):
                if stream is not None:
                    yield stream
                count += 1
                stream = Stream(f"{path.stem}/{slug(line)}", 5, 20, [])
            elif words[:1] == ["size"]:
                stream.rows, stream.columns = int(words[1]), int(words[2])
            elif words[:1] == ["resize"]:
                stream.steps.append((int(words[1]), int(words[2])))
            elif words[:1] == ["feed"]:
                stream.steps.append(decode(line.strip().removeprefix("feed").strip()))
        if stream is not None:
            yield stream


def slug(sentence):
    return "-".join(re.findall(r"[a-z0-9]+", sentence.lower()))[:60]


def decode(quoted):
    """The bytes of a quoted word of a script (tests/vt/script.h)."""
    plain = {"e": "\x1b", "r": "\r", "n": "\n", "t": "\t", "a": "\a", "b": "\b"}
    out = b""
    for match in re.finditer(r"\\x([0-9a-fA-F]{2})|\\u\{([0-9a-fA-F]+)\}|\\(.)|([^\\])", quoted[1:-1]):
        byte, point, escape, other = match.groups()
        if byte:
            out += bytes([int(byte, 16)])
        elif point:
            out += chr(int(point, 16)).encode("utf-8", "surrogatepass")
        else:
            out += (plain.get(escape, escape) if escape else other).encode()
    return out


def corpora():
    for name, head in CORPUS_HEADS.items():
        for path in sorted((TESTS / "fuzz/corpus" / name).iterdir()):
            yield Stream(f"{name}/{path.name}", 24, 80, [path.read_bytes()[head:]])


def captures():
    """What real programs wrote (capture.py)."""
    for path in sorted((HERE / "streams").glob("*.stream")):
        yield Stream(f"capture/{path.stem}", 24, 80, [path.read_bytes()])


def named():
    return [*scripts(), *corpora(), *captures()]
