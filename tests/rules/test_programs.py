"""What the built programs are: hardened, and those that run once per session link libc alone."""

import re
import shutil
import subprocess

import pytest
import tree

PROGRAMS = ["termserv", "termservd", "termserv-broker", "termserv-leader", "termserv-host", "termserv-x11"]
LIBC = re.compile(r"^(libc\.so|ld-linux|linux-vdso)")


def readelf(path):
    run = subprocess.run(["readelf", "--wide", "--file-header", "--program-headers", "--dynamic", "--dyn-syms", path],
                         capture_output=True, text=True, check=True)
    return run.stdout


def check_hardening(elf):
    """Complaints about what readelf shows."""
    flags = " ".join(re.findall(r"\((?:FLAGS|FLAGS_1)\)(.*)", elf))
    stack = re.search(r"GNU_STACK.*", elf)
    wanted = {
        "is position independent": re.search(r"Type:\s+DYN", elf) and "PIE" in flags,
        "has RELRO": "GNU_RELRO" in elf,
        "binds at start": re.search(r"\bNOW\b", flags),
        "has the stack protector": "__stack_chk_fail" in elf,
        "has no executable stack": stack and not re.search(r"\bRWE\b", stack[0]),
        "has no search path for libraries": not re.search(r"\((RPATH|RUNPATH)\)", elf),
        "has no text relocations": "(TEXTREL)" not in elf,
    }
    return [f"not so: {what}" for what, holds in wanted.items() if not holds]


def needed(elf):
    return re.findall(r"\(NEEDED\)\s+Shared library: \[([^\]]+)\]", elf)


def check_libc_alone(elf):
    return [library for library in needed(elf) if not LIBC.match(library)]


def built(name):
    path = tree.BIN / name
    assert path.exists(), f"{path} is not built: run ./run --build, or set TERMSERV_BIN"
    return path


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_is_hardened(name):
    assert check_hardening(readelf(built(name))) == []


@pytest.mark.parametrize("name", ["termserv-host", "termserv-leader", "termserv-x11"])
def test_what_runs_once_per_session_links_libc_alone(name):
    assert check_libc_alone(readelf(built(name))) == []


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_is_neither_setuid_nor_setgid(name):
    assert built(name).stat().st_mode & 0o6000 == 0


def test_every_alias_is_a_link_to_termserv():
    listed = re.findall(r"'(\w+)'", re.search(r"aliases = \[([^\]]*)\]", (tree.ROOT / "bin/meson.build").read_text())[1])
    assert len(listed) >= 9
    for alias in listed:
        assert built(alias).resolve() == built("termserv").resolve()
    for taken in ("reset", "kill", "shutdown"):
        assert not (tree.BIN / taken).exists()


# What follows proves that each check can fail.

@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elf")
    (folder / "a.c").write_text("#include <math.h>\n#include <stdio.h>\nint main(int c, char **v) { char b[64];"
                                ' snprintf(b, sizeof(b), "%s", v[0]); return (int)cos(c) + b[0]; }\n')

    def compile_with(name, *flags):
        subprocess.run([shutil.which("cc") or shutil.which("gcc") or "clang", folder / "a.c", "-o", folder / name, *flags],
                       check=True)
        return readelf(folder / name)
    return compile_with


def test_the_hardening_check_sees_each_flag_that_is_missing(compiled):
    good = ["-O1", "-fPIE", "-pie", "-fstack-protector-strong", "-Wl,-z,relro,-z,now", "-Wl,-z,noexecstack", "-lm"]
    assert check_hardening(compiled("good", *good)) == []
    for name, flag, complaint in (("nopie", "-no-pie", "position"), ("norelro", "-Wl,-z,norelro", "RELRO"),
                                  ("lazy", "-Wl,-z,lazy", "binds"), ("bare", "-fno-stack-protector", "protector"),
                                  ("stack", "-Wl,-z,execstack", "executable"), ("path", "-Wl,-rpath,/x", "search")):
        assert any(complaint in line for line in check_hardening(compiled(name, *good, flag))), name


def test_the_library_check_sees_another_library(compiled):
    assert check_libc_alone(compiled("m", "-Wl,--no-as-needed", "-lm")) == ["libm.so.6"]
    assert check_libc_alone(" 0x1 (NEEDED)  Shared library: [libc.so.6]\n") == []
