"""What no source may contain, and that clang-format would change no byte."""

import re
import shutil
import subprocess

import pytest
import tree

# Calls that src does without; the right column is what to use. Also in strings they would mean nothing, so only code counts.
FORBIDDEN_CALLS = {
    "sprintf": "snprintf or buf_printf",
    "vsprintf": "vsnprintf",
    "strcpy": "link_set_text, snprintf or memcpy",
    "strcat": "buf_put",
    "strncpy": "link_set_text",
    "strtok": "strtok_r or a reader",
    "gets": "a reader",
    "system": "posix_spawn or fork and exec",
    "popen": "posix_spawn or fork and exec",
    "signal": "signalfd, pidfd or sigaction to SIG_IGN",
    "sleep": "a timer of the loop",
    "usleep": "a timer of the loop",
    "alloca": "the heap",
    "pthread_create": "the loop: there are no threads",
}

# Words that mark unfinished work, and hosts that a build must never reach for. Written apart so that this file passes.
UNFINISHED = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
HOSTS = ["." .join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("crates", "io"), ("npmjs", "org"),
                                        ("npmjs", "com"), ("golang", "org"), ("debian", "org"), ("ubuntu", "com"),
                                        ("rubygems", "org"), ("wrapdb", "mesonbuild", "com"))]


def check_calls(path, text):
    found = []
    for call, instead in FORBIDDEN_CALLS.items():
        for line in tree.grep(rf"(?<![\w.>]){call}\s*\(", tree.code(text)):
            found.append(f"{path}:{line}: {call}(): use {instead}")
    return found


def check_declarations(path, text):
    """No extern variable, no typedef of a struct, union or enum."""
    bare = tree.code(text)
    found = [f"{path}:{line}: extern" for line in tree.grep(r"^\s*extern\b", bare)]
    found += [f"{path}:{line}: typedef of a struct" for line in tree.grep(r"\btypedef\s+(struct|union|enum)\b", bare)]
    return found


def check_words(path, text):
    found = []
    for word in UNFINISHED:
        found += [f"{path}:{line}: {word}" for line in tree.grep(rf"\b{word}\b", text)]
    for host in HOSTS:
        found += [f"{path}:{line}: {host}" for line in tree.grep(rf"\b{re.escape(host)}\b", text)]
    return found


def check_whitespace(path, text):
    found = [f"{path}:{line}: blank at the end" for line in tree.grep(r"[ \t]$", text)]
    if text and not text.endswith("\n"):
        found.append(f"{path}: does not end with a newline")
    if "\r" in text:
        found.append(f"{path}: has a carriage return")
    return found


def texts(*patterns):
    """Pairs of name and text; a file that is not UTF-8 (a corpus, a picture) is not a text."""
    for path in tree.files(*patterns):
        try:
            yield tree.name(path), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_no_source_calls_what_is_forbidden():
    found = list(texts("src/**/*.[ch]"))
    assert len(found) > 40
    assert [line for path, text in found for line in check_calls(path, text)] == []


def test_no_source_has_extern_variables_or_typedef_structs():
    assert [line for path, text in texts("src/**/*.[ch]", "tests/**/*.[ch]", "bench/**/*.[ch]")
            for line in check_declarations(path, text)] == []


def test_nothing_is_marked_as_unfinished_and_no_package_host_is_named():
    found = list(texts("*", ".ci/*", "src/**/*", "bin/*", "man/*", "data/**/*", "bench/**/*", "tests/*",
                       "tests/[!f]*/**/*", "tests/fuzz/*"))
    assert len(found) > 60
    assert [line for path, text in found for line in check_words(path, text)] == []


def test_texts_end_their_lines_cleanly():
    assert [line for path, text in texts("*.md", "*.build", "src/**/*.[ch]", "src/**/*.build", "man/*", "tests/**/*.py",
                                         "tests/**/*.[ch]", "run", "test", "data/**/*", ".ci/*")
            for line in check_whitespace(path, text)] == []


def test_clang_format_changes_nothing():
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if tool is None:
        pytest.skip("clang-format 14 is not installed: the layout of C files was not checked")
    version = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout
    if "version 14." not in version:
        pytest.skip(f"needs clang-format 14, here is {version.strip()}: the layout of C files was not checked")
    paths = tree.c_files("src", "tests", "bench")
    run = subprocess.run([tool, "--style=file", "--dry-run", "--Werror", *paths], capture_output=True, text=True,
                         check=False, cwd=tree.ROOT)
    assert run.returncode == 0, run.stderr[:4000]


# What follows proves that each check can fail.

def test_the_call_check_sees_calls_and_only_calls():
    assert check_calls("a.c", "\tsprintf(b, s);\n\tx = system (s);\n") != []
    assert len(check_calls("a.c", "\tstrcpy(a, b); /* once */\n\n\tsignal(SIGINT, f);\n")) == 2
    assert check_calls("a.c", '\tsnprintf(a, 1, "sprintf(x)"); /* sleep(1) */ nanosleep(&t, NULL); on_signal(s);\n') == []


def test_the_declaration_check_sees_both():
    assert check_declarations("a.h", "extern int count;\n") != []
    assert check_declarations("a.h", "typedef struct {\n\tint a;\n} thing;\n") != []
    assert check_declarations("a.h", "typedef int (*handler)(void);\n/* typedef struct x */\n") == []


def test_the_word_and_blank_checks_see_theirs():
    assert all(check_words("a.c", f"/* {word} later */\n") for word in UNFINISHED)
    assert all(check_words("a.md", f"https://files.{host}/x\n") for host in HOSTS)
    assert check_words("a.c", 'mkdtemp("abc.' + "X" * 6 + '")\n') == []
    assert check_whitespace("a.c", "x \n") and check_whitespace("a.c", "x") and check_whitespace("a.c", "x\r\n")
    assert check_whitespace("a.c", "x\n") == []
