"""The model beside libvterm and xterm.js: the same streams, the same screens, but for what differences.md explains."""

import differences
import emulators
import pytest
import random_streams
from comparison import kinds_of
from streams import Stream, decode, named

SEED = 2026
RANDOM_STREAMS = 250
RANDOM_WORDS = 40


@pytest.fixture(scope="module", params=["libvterm", "xterm.js"])
def oracle(request):
    """The emulator; skipped, and said so, where it cannot be had."""
    emulator = {"libvterm": emulators.libvterm, "xterm.js": emulators.xterm_js}[request.param]()
    if emulator is None:
        pytest.skip(f"{request.param} is not here")
    return emulator


def observed(oracle, streams):
    """{stream: {kind: example}} of those that differ."""
    runs = zip(streams, emulators.model().run(streams), oracle.run(streams), strict=True)
    found = {stream.name: kinds_of(oracle, ours, theirs) for stream, ours, theirs in runs}
    return {name: kinds for name, kinds in found.items() if kinds}


def known_streams(oracle):
    """libvterm crops where the model reflows: what comes behind a change of size is not compared with it."""
    streams = named()
    for stream in streams:
        sizes = [n for n, step in enumerate(stream.steps) if isinstance(step, tuple)]
        if sizes and not oracle.resizes:
            stream.steps = stream.steps[:sizes[0]]
    return streams


def test_every_difference_of_a_known_stream_is_explained_and_every_explanation_is_still_needed(oracle):
    rules = differences.read(oracle.name)
    oracle.silent = rules.silent
    complaints = differences.judge(rules, observed(oracle, known_streams(oracle)))
    assert complaints == [], "\n".join(complaints)


def test_captures_of_real_programs_need_no_explanation(oracle):
    rules = differences.read(oracle.name)
    assert [row for row in rules.rows if any(stream.startswith("capture/") for stream in row.streams)] == []
    assert len([stream for stream in known_streams(oracle) if stream.name.startswith("capture/")]) >= 7


def test_random_streams_of_what_both_know_look_the_same(oracle):
    rules = differences.read(oracle.name)
    oracle.silent = rules.silent
    streams = list(random_streams.random_streams(SEED, RANDOM_STREAMS, rules.without, RANDOM_WORDS))
    found = observed(oracle, streams)
    by_name = {stream.name: stream for stream in streams}
    shortest = min(found, key=lambda name: len(by_name[name].steps[0]), default=None)
    assert found == {}, f"{len(found)} differ; {shortest}: {found[shortest]}\n{by_name[shortest].steps[0]!r}"


def test_each_word_that_is_left_out_still_makes_a_difference(oracle):
    rules = differences.read(oracle.name)
    oracle.silent = rules.silent
    streams = [Stream(word, random_streams.ROWS, random_streams.COLUMNS, [decode(shown)])
               for word, shown in rules.without.items()]
    differ = observed(oracle, streams).keys()
    assert rules.without.keys() - differ == set(), "these need not be left out any more"


def test_what_is_not_compared_does_differ_somewhere(oracle):
    rules = differences.read(oracle.name)
    oracle.silent = set()
    kinds = {kind for kinds in observed(oracle, known_streams(oracle)).values() for kind in kinds}
    assert rules.silent - kinds == set(), "these can be compared now"


def test_the_judge_sees_what_is_new_and_what_is_gone():
    text = "## x\n| streams | differs in | why |\n|---|---|---|\n| a b | text, cursor | because |\n"
    rules = differences.read("x", text)
    assert differences.judge(rules, {"a": {"text": ""}, "b": {"cursor": ""}}) == []
    assert differences.judge(rules, {"a": {"text": ""}, "b": {"cursor": "", "looks": ""}}) != []
    assert differences.judge(rules, {"a": {"text": "", "cursor": ""}}) != []
    assert differences.judge(rules, {"a": {"text": ""}, "b": {"text": ""}}) != []
    assert differences.judge(differences.read("y", text), {"c": {"text": ""}}) != []


def test_names_of_streams_are_told_apart():
    names = [stream.name for stream in named()]
    assert len(names) == len(set(names)) > 200
