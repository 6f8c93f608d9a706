"""Everything that the model understands is shown by a script of tests/vt: take it out of the script, and the script fails.

What it understands is read from the model's own tables, so that a new sequence without a script fails here. Each script is
also painted elsewhere and undone (tests/vt/vt_script.c), and so is each mode (tests/vt/vt_every_mode.c, tests/e2e/test_modes.py).
"""

import re
import subprocess

import emulators
import pytest
import sequences
import streams

RUNNER = emulators.BIN.parent / "tests" / "vt" / "vt_script"
FEED = re.compile(r"^(\s*feed\s+)(\".*\")\s*$")


def read_cases():
    """[(keys, lines)] of each case of the scripts."""
    found = []
    for path in sorted((streams.TESTS / "vt/scripts").glob("*.test")):
        for line in path.read_text().splitlines():
            if line.startswith("!"):
                found.append((set(), []))
            if found and not line.startswith("#"):
                found[-1][1].append(line)
                if FEED.match(line):
                    found[-1][0].update(sequences.keys_of(streams.decode(FEED.match(line)[2])))
    return found


CASES = read_cases()


def quoted(data):
    return '"' + "".join(f"\\x{byte:02x}" for byte in data) + '"'


def cases_without(key):
    """The cases that have it, with it taken out."""
    lines = []
    for keys, case in CASES:
        for line in case if key in keys else ():
            feed = FEED.match(line)
            lines.append(feed[1] + quoted(sequences.without(streams.decode(feed[2]), key)) if feed else line)
    return lines


def fails_without(key, folder):
    lines = cases_without(key)
    if not lines:
        return False
    script = folder / "without.test"
    script.write_text("\n".join(lines) + "\n")
    run = subprocess.run([RUNNER, "--checks-only", script], capture_output=True, timeout=300)
    assert run.returncode in (0, 1), run.stderr.decode()
    return run.returncode == 1


def test_everything_that_the_model_understands_is_shown_by_a_script(tmp_path):
    silent = [key for key in sequences.understood() if not fails_without(key, tmp_path)]
    assert silent == [], f"{len(silent)} would not be missed: " + ", ".join(silent)


def test_the_tables_were_read():
    keys = sequences.understood()
    for some in ("CSI H", "CSI >q", "CSI '}", "CSI *x", "CSI $r", "CSI J 3", "ESC 7", "ESC (0", "ESC #8", "C1 84", "C0 0e", "OSC 8",
                 "DECRQSS m", "DECRQSS *x", "CSI t 18", "CSI ?n 996", "CSI n 6", "SGR 1", "SGR 107", "SGR 58;5", "set ?2026", "reset 4"):
        assert some in keys
    assert len(keys) > 250


@pytest.mark.parametrize("data, key, left", [
    (b"a\x1b[1;31mb", "SGR 31", b"a\x1b[1mb"),
    (b"\x1b[38;5;1;4m", "SGR 38;5", b"\x1b[4m"),
    (b"\x1b[?1;7hx", "set ?7", b"\x1b[?1hx"),
    (b"\x1b[?7hx", "set ?7", b"x"),
    (b"\x1b]2;t\x07x\x1b]0;u\x1b\\", "OSC 2", b"x\x1b]0;u\x1b\\"),
    (b"\x1b[3Jx\x1b[J", "CSI J 3", b"x\x1b[J"),
    (b"\x1bD\xc2\x84x", "C1 84", b"x"),
    (b"\xffx\x1b7", "ESC 7", b"\xffx"),
])
def test_one_thing_is_taken_out_and_nothing_else(data, key, left):
    assert sequences.without(data, key) == left
    assert sequences.without(data, "CSI nothing") == data


def test_a_sequence_that_no_script_has_is_missed(tmp_path):
    assert not fails_without("CSI ?nothing", tmp_path)
    assert fails_without("CSI H", tmp_path)
