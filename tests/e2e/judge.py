"""A second opinion: tmux reads what a terminal was sent, and says what it shows. It shares no code with pyte or with src/vt."""

import shutil
import subprocess

import pytest

from emulator import Emulator

class Judge:
    def __init__(self, server):
        if shutil.which("tmux") is None:
            pytest.skip("tmux is not installed")
        self.server = server
        self.socket = None
        self.count = 0
        self.config = server.base / "tmux.conf"
        self.config.write_text("set -g status off\nset -g default-terminal tmux-256color\nset -g escape-time 0\n")

    def tmux(self, *arguments):
        command = ["tmux", "-u", "-f", str(self.config), "-S", str(self.socket), *arguments]
        return subprocess.run(command, env=self.server.environment(), capture_output=True, text=True, check=True,
                              stdin=subprocess.DEVNULL).stdout

    def shown(self, raw, rows, columns):
        """Cells with their attributes, and the cursor, after these bytes."""
        self.count += 1
        self.socket = self.server.base / ("tmux%d" % self.count)
        data = self.server.base / ("tmux%d.bytes" % self.count)
        data.write_bytes(bytes(raw) + b"\x1b]2;all is read\x07")
        script = "stty raw -echo; cat %s; exec cat >/dev/null" % data
        self.tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), script)
        try:
            self.server.pump.wait(lambda: "all is read" in self.tmux("display-message", "-p", "#{pane_title}"), "tmux")
            cursor = self.tmux("display-message", "-p", "#{cursor_x},#{cursor_y},#{cursor_flag},#{alternate_on}")
            text = self.tmux("capture-pane", "-e", "-p").rstrip("\n").replace("\n", "\r\n")
            cells = Emulator(rows, columns)  # only to take tmux's answer apart
            cells.feed(b"\x1b)0" + text.encode())
            return {"cells": cells.cells(), "cursor": cursor.strip()}
        finally:
            self.tmux("kill-server")

