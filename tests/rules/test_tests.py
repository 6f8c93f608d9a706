"""Rules for the tests themselves: names are sentences, nothing sleeps, every harness has its corpus."""

import ast
import re

import tree

WORDS_LEAST = 3


def check_unit_names(path, text):
    """A cmocka test is a void function of a state. Its name reads as a sentence: three words or more, not test_first."""
    found = []
    names = re.findall(r"^static void (\w+)\(void \*\*\w+\)", tree.code(text), re.M)
    if not names and "cmocka.h" in text:
        found.append(f"{path}: holds no test")
    for name in names:
        if len(name.split("_")) < WORDS_LEAST or name.startswith("test_"):
            found.append(f"{path}: {name} is not a sentence")
    return found


def check_python(path, text):
    """Test names are sentences, no fixed sleep, no test without an assertion."""
    found = []
    module = ast.parse(text)
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            if len(node.name.split("_")) < WORDS_LEAST + 1:
                found.append(f"{path}:{node.lineno}: {node.name} is not a sentence")
            if not can_fail(node):
                found.append(f"{path}:{node.lineno}: {node.name} asserts nothing")
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "sleep":
            found.append(f"{path}:{node.lineno}: sleeps; wait for a condition")
        if isinstance(node, (ast.Import, ast.ImportFrom)) and any(a.name == "sleep" for a in node.names):
            found.append(f"{path}:{node.lineno}: imports sleep")
    return found


def can_fail(function):
    """An assert, a raises(), or a call of a helper that waits, checks or expects."""
    for node in ast.walk(function):
        if isinstance(node, (ast.Assert, ast.Raise)):
            return True
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).split(".")[-1]
            if re.match(r"(wait|expect|check|assert|raises|fail|same)", called):
                return True
    return False


def check_c_sleep(path, text):
    return [f"{path}:{line}: sleeps; wait for a condition"
            for line in tree.grep(r"\b(sleep|usleep|nanosleep|clock_nanosleep)\s*\(", tree.code(text))]


def check_corpus(root):
    """Each tests/fuzz/fuzz_NAME.c has tests/fuzz/corpus/NAME/ with at least one file, and no corpus is without a harness."""
    harnesses = {p.stem.removeprefix("fuzz_") for p in root.glob("tests/fuzz/fuzz_*.c")}
    corpora = {p.name for p in root.glob("tests/fuzz/corpus/*") if p.is_dir() and any(p.iterdir())}
    return [f"fuzz_{n}.c has no corpus" for n in sorted(harnesses - corpora)] + \
        [f"corpus/{n} has no harness" for n in sorted(corpora - harnesses)]


def test_unit_tests_have_sentences_as_names():
    paths = tree.files("tests/unit/test_*.c")
    assert len(paths) > 5
    assert [line for p in paths for line in check_unit_names(tree.name(p), p.read_text())] == []


def test_python_tests_have_sentences_as_names_and_never_sleep():
    paths = tree.files("tests/**/*.py")
    assert len(paths) > 5
    assert [line for p in paths for line in check_python(tree.name(p), p.read_text())] == []


def test_c_tests_never_sleep():
    assert [line for p in tree.c_files("tests") for line in check_c_sleep(tree.name(p), p.read_text())] == []


def test_every_unit_test_is_registered():
    listed = (tree.ROOT / "tests/unit/meson.build").read_text()
    for path in tree.files("tests/unit/test_*.c"):
        assert f"'{path.stem.removeprefix('test_')}'" in listed, f"{path.name} is not in tests/unit/meson.build"


def test_every_fuzz_harness_has_a_corpus():
    assert tree.files("tests/fuzz/fuzz_*.c"), "there are no harnesses"
    assert check_corpus(tree.ROOT) == []


# What follows proves that each check can fail.

def test_the_name_checks_see_a_label():
    include = "#include <cmocka.h>\n"
    test = include + "static void {}(void **state)\n{{\n}}\n"
    assert check_unit_names("a.c", test.format("a_cut_keeps_the_border")) == []
    assert check_unit_names("a.c", test.format("test_cut_keeps_border")) != []
    assert check_unit_names("a.c", test.format("cut")) != []
    assert check_unit_names("a.c", include) != []
    assert check_python("a.py", "def test_it_is_so():\n    assert x\n") == []
    assert check_python("a.py", "def test_it():\n    assert x\n") != []
    assert check_python("a.py", "def test_it_is_so():\n    f()\n") != []


def test_the_sleep_checks_see_a_sleep():
    assert check_python("a.py", "import time\ntime.sleep(1)\n") != []
    assert check_python("a.py", "from time import sleep\n") != []
    assert check_python("a.py", "# time.sleep(1)\n") == []
    assert check_c_sleep("a.c", "\tusleep(10);\n") and check_c_sleep("a.c", "\tnanosleep(&t, 0);\n")
    assert check_c_sleep("a.c", "\t/* sleep(1) */\n") == []


def test_the_corpus_check_sees_a_missing_corpus(tmp_path):
    (tmp_path / "tests/fuzz/corpus/link").mkdir(parents=True)
    (tmp_path / "tests/fuzz/fuzz_link.c").write_text("")
    assert check_corpus(tmp_path) == ["fuzz_link.c has no corpus"]
    (tmp_path / "tests/fuzz/corpus/link/hello").write_bytes(b"x")
    assert check_corpus(tmp_path) == []
    (tmp_path / "tests/fuzz/fuzz_link.c").unlink()
    assert check_corpus(tmp_path) == ["corpus/link has no harness"]
