"""An independent terminal: pyte's cells behind a parser of our own, so that nothing of src/vt judges itself.

Owns what a person would see: cells with all attributes, cursor, scrollback, and every mode that was set. pyte 0.8 alone
knows neither the alternate screen nor CSI > and friends; what it lacks or does differently from xterm is done here.
"""

import codecs
import re
from collections import defaultdict, deque, namedtuple

import pyte
from pyte import charsets
from pyte.screens import Cursor, Margins, StaticDefaultDict
from wcwidth import wcwidth

from colours import colour, rgb

Cell = namedtuple(
    "Cell",
    "data fg bg bold dim italics underscore blink reverse hidden strikethrough overline line link",
    defaults=(" ", None, None, False, False, False, 0, False, False, False, False, False, None, ""),
)
BLANK = Cell()

CONTROLS = re.compile("[\x00-\x1a\x1c-\x1f\x7f\x80-\x9f]")
TEXT = re.compile("[^\x00-\x1f\x7f\x80-\x9f]+")
CSI = re.compile("\x1b\\[([<-?]*)([0-9;:]*)([ -/]*)([@-~])")
OSC = re.compile("\x1b\\]([^\x07\x1b]*)(?:\x07|\x1b\\\\)")
STRING = re.compile("\x1b([P_^X])([^\x1b]*)\x1b\\\\")
ESCAPE = re.compile("\x1b([ -/]*)([0-~])")
PARTIAL = re.compile("\x1b(?:\\[[0-?]*[ -/]*|[\\]P_^X][^\x07\x1b]*\x1b?|[ -/]*)?$")

INITIAL_MODES = frozenset({7, 8, 25, 1034, 2027})
WATCHED_ANSI = {4, 20}
ALTERNATE = {47, 1047, 1049}
ATTRIBUTES = {
    1: ("bold", True), 2: ("dim", True), 3: ("italics", True), 5: ("blink", True), 6: ("blink", True),
    7: ("reverse", True), 8: ("hidden", True), 9: ("strikethrough", True), 21: ("underscore", 2),
    23: ("italics", False), 24: ("underscore", 0), 25: ("blink", False), 27: ("reverse", False),
    28: ("hidden", False), 29: ("strikethrough", False), 39: ("fg", None), 49: ("bg", None),
    53: ("overline", True), 55: ("overline", False), 59: ("line", None),
}


class Emulator(pyte.Screen):
    def __init__(self, rows, columns, answer=None, history=5000):
        self.answer = answer  # gets the bytes that a terminal sends back; None: this terminal is mute
        self.scrollback = deque(maxlen=history)
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.rest = ""
        super().__init__(columns, rows)

    # --- state ---------------------------------------------------------------------------------

    @property
    def default_char(self):
        return BLANK

    def reset(self):
        super().reset()
        self.cursor = Cursor(0, 0, BLANK)
        self.modes = set(INITIAL_MODES)
        self.ansi_modes = set()
        self.kept_modes = {}  # XTSAVE
        self.other = None  # the buffer that is not shown, while the alternate one is
        self.saved = [None, None]
        self.kitty = [[], []]
        self.modify_keys = {}
        self.keypad = False
        self.cursor_shape = 0
        self.colours = {}
        self.link = ""
        self.charset = 0
        self.designated = ["B", "B"]
        self.last = " "
        self.title = ""
        self.titles = []
        self.tabstops = set(range(8, self.columns, 8))

    @property
    def alternate(self):
        return self.other is not None

    def row(self, y):
        line = self.buffer[y]
        return [line[x] for x in range(self.columns)]

    def text(self, y):
        return "".join(c.data for c in self.row(y)).rstrip()

    def lines_text(self):
        return [self.text(y) for y in range(self.lines)]

    def shown(self):
        return "\n".join(self.lines_text())

    def history_text(self):
        return ["".join(c.data for c in line).rstrip() for line in self.scrollback]

    def everything(self):
        return self.history_text() + self.lines_text()

    def cursor_state(self):
        """Column, row, whether the next character wraps first, whether it is shown."""
        x = min(self.cursor.x, self.columns - 1)
        return x, self.cursor.y, self.cursor.x == self.columns, 25 in self.modes

    def cells(self):
        return [[visible(c) for c in self.row(y)] for y in range(self.lines)]

    def lasting(self):
        """Every mode that a program sets once and expects to last; what a clean terminal has is {}."""
        state = {
            "modes": frozenset(self.modes ^ INITIAL_MODES), "ansi": frozenset(self.ansi_modes),
            "keypad": self.keypad, "kitty": tuple(self.kitty[self.alternate]), "keys": dict(self.modify_keys),
            "shape": self.cursor_shape, "colours": dict(self.colours), "margins": self.margins,
            "charset": (self.charset, tuple(self.designated)), "pen": self.cursor.attrs, "link": self.link,
        }
        clean = {
            "modes": frozenset(), "ansi": frozenset(), "keypad": False, "kitty": (), "keys": {}, "shape": 0,
            "colours": {}, "margins": None, "charset": (0, ("B", "B")), "pen": BLANK, "link": "",
        }
        return {key: value for key, value in state.items() if value != clean[key]}

    # --- bytes in ------------------------------------------------------------------------------

    def feed(self, data):
        text = self.rest + self.decoder.decode(data)
        self.rest = ""
        at = 0
        while at < len(text):
            if text[at] != "\x1b":
                match = TEXT.match(text, at)
                if match:
                    self.draw(match.group())
                    at = match.end()
                else:
                    self.control(text[at])
                    at += 1
                continue
            if PARTIAL.match(text, at):
                self.rest = text[at:]
                return
            at = self.escape(text, at)

    def escape(self, text, at):
        for pattern, handler in ((CSI, self.on_csi), (OSC, self.on_osc), (STRING, self.on_string),
                                 (ESCAPE, self.on_escape)):
            match = pattern.match(text, at)
            if match:
                handler(*match.groups())
                return match.end()
        return at + 1

    def control(self, char):
        simple = {"\b": self.backspace, "\t": self.tab, "\n": self.linefeed, "\v": self.linefeed,
                  "\f": self.linefeed, "\r": self.carriage_return}
        if char in simple:
            simple[char]()
        elif char == "\x0e":
            self.charset = 1
        elif char == "\x0f":
            self.charset = 0

    def draw(self, data):
        graphics = self.designated[self.charset] == "0"
        for char in data:
            if graphics:
                char = char.translate(charsets.VT100_MAP)
            self.put(char)

    def put(self, char):
        width = wcwidth(char)
        if width <= 0:
            self.combine(char)
            return
        if self.cursor.x + width > self.columns:
            if 7 in self.modes:
                self.cursor.x = 0
                self.index()
            else:
                self.cursor.x = self.columns - width
        if 4 in self.ansi_modes:
            self.insert_characters(width)
        line = self.buffer[self.cursor.y]
        attrs = self.cursor.attrs._replace(link=self.link)
        self.split(line, self.cursor.x)
        self.split(line, self.cursor.x + width)
        line[self.cursor.x] = attrs._replace(data=char)
        if width == 2:
            line[self.cursor.x + 1] = attrs._replace(data="")
        self.cursor.x += width
        if 7 not in self.modes:
            self.cursor.x = min(self.cursor.x, self.columns - 1)
        self.last = char

    def split(self, line, x):
        """A wide character of which one half is overwritten leaves a blank."""
        if 0 < x < self.columns and line[x].data == "":
            line[x - 1] = line[x - 1]._replace(data=" ")
            line[x] = line[x]._replace(data=" ")

    def combine(self, char):
        line = self.buffer[self.cursor.y]
        x = self.cursor.x - 1
        if x >= 0 and line[x].data == "":
            x -= 1
        if x >= 0:
            line[x] = line[x]._replace(data=line[x].data + char)

    # --- sequences -----------------------------------------------------------------------------

    def on_string(self, kind, body):
        if kind == "P" and body.startswith("$q"):
            known = {" q": "%d q" % self.cursor_shape, "m": "0m", "r": "1;%dr" % self.lines}.get(body[2:])
            self.reply("\x1bP1$r%s\x1b\\" % known if known else "\x1bP0$r\x1b\\")

    def on_escape(self, intermediate, final):
        if intermediate in ("(", ")"):
            self.designated[intermediate == ")"] = final
        elif intermediate == "#" and final == "8":
            self.alignment_display()
        elif intermediate == "":
            handler = {"7": self.save_cursor, "8": self.restore_cursor, "c": self.reset, "D": self.index,
                       "E": self.next_line, "M": self.reverse_index, "H": self.set_tab_stop}.get(final)
            if handler:
                handler()
            elif final in "=>":
                self.keypad = final == "="

    def next_line(self):
        self.carriage_return()
        self.index()

    def on_osc(self, body):
        code, _, value = body.partition(";")
        if code in ("0", "2"):
            self.title = value
        elif code == "8":
            self.link = value.partition(";")[2]
        elif code in ("10", "11", "12"):
            if value == "?":
                self.reply("\x1b]%s;rgb:1111/2222/3333\x1b\\" % code)
            else:
                self.colours[code] = rgb(value)
        elif code in ("110", "111", "112"):
            self.colours.pop(code[1:], None)
        elif code == "4":
            parts = value.split(";")
            for index, colour in zip(parts[::2], parts[1::2]):
                if colour != "?":
                    self.colours["4;" + index] = rgb(colour)
        elif code == "104":
            for key in [k for k in self.colours if k.startswith("4;")]:
                if value == "" or key[2:] in value.split(";"):
                    del self.colours[key]

    def on_csi(self, private, parameters, intermediate, final):
        if private == "" and intermediate == "" and final == "m":
            self.rendition(parameters)
            return
        numbers = [int(p.split(":")[0] or 0) for p in parameters.split(";")]
        if private == "?" and intermediate == "" and final in "hl":
            for number in numbers:
                self.private_mode(number, final == "h")
        elif private == "" and intermediate == "":
            self.plain_csi(final, numbers)
        else:
            self.special_csi(private, intermediate, final, numbers, parameters)

    def plain_csi(self, final, numbers):
        first = numbers[0]
        count = first or 1
        if self.cursor.x == self.columns and final in "@ABCDEFGHIJKLMPXZ`abdefju":
            self.cursor.x -= 1  # a movement or an erasure ends the waiting wrap
        moves = {
            "A": self.cursor_up, "B": self.cursor_down, "e": self.cursor_down, "C": self.cursor_forward,
            "a": self.cursor_forward, "D": self.cursor_back, "E": self.cursor_down1, "F": self.cursor_up1,
            "G": self.cursor_to_column, "`": self.cursor_to_column, "d": self.cursor_to_line,
            "@": self.insert_characters, "P": self.delete_characters, "L": self.insert_lines,
            "M": self.delete_lines, "X": self.erase_characters, "S": self.scroll_up, "T": self.scroll_down,
        }
        if final in moves:
            moves[final](count)
        elif final in "Hf":
            self.cursor_position(*numbers[:2])
        elif final == "J":
            self.erase_in_display(first)
        elif final == "K":
            self.erase_in_line(first)
        elif final == "r":
            self.margins_set(numbers)
        elif final in "hl":
            for number in WATCHED_ANSI.intersection(numbers):
                (self.ansi_modes.add if final == "h" else self.ansi_modes.discard)(number)
        elif final == "b":
            for _ in range(min(count, self.columns * self.lines)):
                self.put(self.last)
        elif final in "IZ":
            self.tabulate(count, forward=final == "I")
        elif final == "g":
            self.clear_tab_stop(first)
        elif final == "s":
            self.save_cursor()
        elif final == "u":
            self.restore_cursor()
        elif final == "n":
            self.report_device_status(first)
        elif final == "c":
            self.reply("\x1b[?62;22c")
        elif final == "t" and first == 22:
            self.titles.append(self.title)
        elif final == "t" and first == 23 and self.titles:
            self.title = self.titles.pop()

    def special_csi(self, private, intermediate, final, numbers, parameters):
        stack = self.kitty[self.alternate]
        if private == ">" and final == "u":
            stack.append(numbers[0])
        elif private == "<" and final == "u":
            del stack[max(0, len(stack) - (numbers[0] or 1)):]
        elif private == "=" and final == "u":
            if stack:
                stack[-1] = numbers[0]
            elif numbers[0]:
                stack.append(numbers[0])
        elif private == "?" and final == "s":
            self.kept_modes.update((number, number in self.modes) for number in numbers)
        elif private == "?" and final == "r":
            for number in numbers:
                self.private_mode(number, self.kept_modes.get(number, number in INITIAL_MODES))
        elif private == "?" and final == "u":
            self.reply("\x1b[?%du" % (stack[-1] if stack else 0))
        elif private == ">" and final == "m":
            self.modify(numbers, parameters)
        elif private == ">" and final == "c":
            self.reply("\x1b[>41;390;0c")
        elif private == "?" and intermediate == "$" and final == "p":
            self.reply("\x1b[?%d;%d$y" % (numbers[0], 1 if numbers[0] in self.modes else 2))
        elif intermediate == " " and final == "q":
            self.cursor_shape = numbers[0]
            if numbers[0]:  # the shapes come in pairs, of which the odd one blinks
                (self.modes.add if numbers[0] % 2 else self.modes.discard)(12)
        elif intermediate == "!" and final == "p":
            self.soft_reset()

    def modify(self, numbers, parameters):
        if parameters == "":
            self.modify_keys.clear()
        elif len(numbers) > 1 and numbers[1]:
            self.modify_keys[numbers[0]] = numbers[1]
        else:
            self.modify_keys.pop(numbers[0], None)

    def soft_reset(self):
        self.modes -= {1, 6}
        self.modes |= {25, 7}
        self.ansi_modes.discard(4)
        self.keypad = False
        self.margins = None
        self.charset = 0
        self.designated = ["B", "B"]
        self.cursor.attrs = BLANK

    def private_mode(self, number, on):
        if number in ALTERNATE:
            self.switch(number, on)
            return
        if number == 1048:
            (self.save_cursor if on else self.restore_cursor)()
            return
        if on and number in (9, 1000, 1002, 1003):
            self.modes -= {9, 1000, 1002, 1003}
        if on and number in (1005, 1006, 1015, 1016):
            self.modes -= {1005, 1006, 1015, 1016}
        (self.modes.add if on else self.modes.discard)(number)
        if number == 6:
            self.cursor_position()

    def switch(self, number, on):
        if on == self.alternate:
            if on and number == 1049:
                self.erase_in_display(2)
            return
        if on:
            if number == 1049:
                self.save_cursor()
            self.other = self.buffer
            self.buffer = defaultdict(lambda: StaticDefaultDict(BLANK))
            self.modes.add(1049)
        else:
            self.buffer = self.other
            self.other = None
            self.modes.discard(1049)
            if number == 1049:
                self.restore_cursor()

    def rendition(self, parameters):
        fields = [p.split(":") for p in parameters.split(";")]
        pen = self.cursor.attrs
        while fields:
            field = fields.pop(0)
            code = int(field[0] or 0)
            if code == 0:
                pen = BLANK
            elif code == 4:
                pen = pen._replace(underscore=int(field[1] or 0) if len(field) > 1 else 1)
            elif code == 22:
                pen = pen._replace(bold=False, dim=False)
            elif code in (38, 48, 58):
                key = {38: "fg", 48: "bg", 58: "line"}[code]
                pen = pen._replace(**{key: colour(field, fields)})
            elif code in ATTRIBUTES:
                key, value = ATTRIBUTES[code]
                pen = pen._replace(**{key: value})
            elif code in range(30, 38) or code in range(40, 48) or code in range(90, 98) or code in range(100, 108):
                key = "fg" if code // 10 in (3, 9) else "bg"
                pen = pen._replace(**{key: code % 10 + (8 if code >= 90 else 0)})
        self.cursor.attrs = pen

    def reply(self, text):
        if self.answer is not None:
            self.answer(text.encode())

    def write_process_input(self, data):
        self.reply(data)

    # --- where pyte differs from xterm -----------------------------------------------------------

    def margins_set(self, numbers):
        top, bottom = (numbers + [0, 0])[:2]
        top, bottom = top or 1, min(bottom or self.lines, self.lines)
        if top >= bottom:
            return
        self.margins = None if (top, bottom) == (1, self.lines) else Margins(top - 1, bottom - 1)
        self.cursor_position()

    def cursor_position(self, line=None, column=None):
        top, bottom = self.margins if self.margins and 6 in self.modes else Margins(0, self.lines - 1)
        self.cursor.x = min((column or 1) - 1, self.columns - 1)
        self.cursor.y = min((line or 1) - 1 + top, bottom)

    def cursor_to_line(self, line=None):
        self.cursor_position(line, min(self.cursor.x, self.columns - 1) + 1)

    def save_cursor(self):
        pen = (self.cursor.x, self.cursor.y, self.cursor.attrs, self.charset, list(self.designated), 6 in self.modes)
        self.saved[self.alternate] = pen

    def restore_cursor(self):
        if self.saved[self.alternate] is None:
            self.cursor_position()
            return
        x, y, attrs, self.charset, designated, origin = self.saved[self.alternate]
        self.designated = list(designated)
        self.cursor = Cursor(min(x, self.columns), min(y, self.lines - 1), attrs)
        (self.modes.add if origin else self.modes.discard)(6)

    def erased(self):
        return BLANK._replace(bg=self.cursor.attrs.bg)

    def index(self):
        top, bottom = self.margins or Margins(0, self.lines - 1)
        if self.cursor.y == bottom:
            self.roll(top, bottom)
        elif self.cursor.y < self.lines - 1:
            self.cursor.y += 1

    def roll(self, top, bottom):
        if top == 0 and not self.alternate:
            self.scrollback.append(self.row(0))
        for y in range(top, bottom):
            self.buffer[y] = self.buffer[y + 1]
        self.buffer[bottom] = self.fresh()

    def fresh(self):
        line = StaticDefaultDict(BLANK)
        if self.cursor.attrs.bg is not None:
            line.update((x, self.erased()) for x in range(self.columns))
        return line

    def reverse_index(self):
        top, bottom = self.margins or Margins(0, self.lines - 1)
        if self.cursor.y == top:
            self.scroll_down(1)
        elif self.cursor.y > 0:
            self.cursor.y -= 1

    def scroll_up(self, count):
        top, bottom = self.margins or Margins(0, self.lines - 1)
        for _ in range(min(count, self.lines)):
            self.roll(top, bottom)

    def scroll_down(self, count):
        top, bottom = self.margins or Margins(0, self.lines - 1)
        for _ in range(min(count, self.lines)):
            for y in range(bottom, top, -1):
                self.buffer[y] = self.buffer[y - 1]
            self.buffer[top] = self.fresh()

    def in_margins(self):
        top, bottom = self.margins or Margins(0, self.lines - 1)
        return (top, bottom) if top <= self.cursor.y <= bottom else None

    def insert_lines(self, count=None):
        where = self.in_margins()
        for _ in range(min(count or 1, self.lines) if where else 0):
            for y in range(where[1], self.cursor.y, -1):
                self.buffer[y] = self.buffer[y - 1]
            self.buffer[self.cursor.y] = self.fresh()
        self.cursor.x = 0 if where else self.cursor.x

    def delete_lines(self, count=None):
        where = self.in_margins()
        for _ in range(min(count or 1, self.lines) if where else 0):
            for y in range(self.cursor.y, where[1]):
                self.buffer[y] = self.buffer[y + 1]
            self.buffer[where[1]] = self.fresh()
        self.cursor.x = 0 if where else self.cursor.x

    def insert_characters(self, count=None):
        row = self.row(self.cursor.y)
        x = min(self.cursor.x, self.columns - 1)
        self.replace(row[:x] + [self.erased()] * (count or 1) + row[x:])

    def delete_characters(self, count=None):
        row = self.row(self.cursor.y)
        x = min(self.cursor.x, self.columns - 1)
        self.replace(row[:x] + row[x + (count or 1):] + [self.erased()] * (count or 1))

    def replace(self, row):
        line = StaticDefaultDict(BLANK)
        line.update(enumerate(row[:self.columns]))
        self.buffer[self.cursor.y] = line

    def erase_characters(self, count=None):
        self.wipe(self.cursor.y, self.cursor.x, self.cursor.x + (count or 1))

    def erase_in_line(self, how=0, private=False):
        start = self.cursor.x if how == 0 else 0
        self.wipe(self.cursor.y, start, self.cursor.x + 1 if how == 1 else self.columns)

    def erase_in_display(self, how=0, private=False):
        if how == 3:
            self.scrollback.clear()
            return
        if how in (0, 1):
            self.erase_in_line(how)
        rows = {0: range(self.cursor.y + 1, self.lines), 1: range(self.cursor.y)}.get(how, range(self.lines))
        for y in rows:
            self.wipe(y, 0, self.columns)

    def wipe(self, y, start, end):
        line = self.buffer[y]
        for x in range(start, min(end, self.columns)):
            self.split(line, x)
            line[x] = self.erased()
        self.split(line, end)

    def tabulate(self, count, forward):
        for _ in range(min(count, self.columns)):
            stops = sorted(self.tabstops | {0, self.columns - 1})
            ahead = [s for s in stops if (s > self.cursor.x if forward else s < self.cursor.x)]
            if ahead:
                self.cursor.x = ahead[0] if forward else ahead[-1]

    def cursor_up(self, count=None):
        top = self.margins.top if self.margins and self.cursor.y >= self.margins.top else 0
        self.cursor.y = max(self.cursor.y - (count or 1), top)

    def cursor_down(self, count=None):
        bottom = self.lines - 1
        if self.margins and self.cursor.y <= self.margins.bottom:
            bottom = self.margins.bottom
        self.cursor.y = min(self.cursor.y + (count or 1), bottom)


def visible(cell):
    """The cell as an eye sees it: a blank has no foreground unless a line is drawn through it."""
    if cell.data in (" ", "\xa0") and not (cell.underscore or cell.strikethrough or cell.overline or cell.reverse):
        return Cell(" ", None, cell.bg, link=cell.link)
    return cell
