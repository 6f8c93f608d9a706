"""The plot of bench/RESULTS.md: bench/results.svg, one panel a measure, one bar a peer."""
import pathlib
import re
from xml.sax.saxutils import escape

HERE = pathlib.Path(__file__).resolve().parent

# Heading, unit, whether more is better, and the rows of the table with what each is called here.
PANELS = [
    ("Throughput", "MB/s, more is better", [("log", "log MB/s"), ("colours", "sgr MB/s"), ("UTF-8", "utf8 MB/s"),
                                            ("redraw", "redraw MB/s")]),
    ("A key's echo", "µs p50, less is better", [("idle", "echo p50 us"),
                                                ("beside a flood", "echo beside a flood p50 us")]),
    ("connect", "ms p50, less is better", [("80x24", "connect 80x24 p50 ms"), ("200x60", "connect 200x60 p50 ms"),
                                           ("of 1000", "1000 sessions: connect p50 ms")]),
    ("Ctrl-C in a flood", "ms p50, less is better", [("fast", "Ctrl-C, fast terminal p50 ms"),
                                                     ("at 1 MB/s", "Ctrl-C, 1 MB/s terminal p50 ms")]),
]
PEERS = ["termserv", "relay", "dtach", "abduco", "shpool", "screen", "tmux"]
COLOURS = {"termserv": "#1f6feb", "relay": "#8c959f", "dtach": "#b08bd4", "abduco": "#d4a72c", "shpool": "#57ab5a",
           "screen": "#e0823d", "tmux": "#3fb6a8"}
WIDTH, LEFT, BAR, GAP, GROUP = 860, 120, 11, 3, 12
PANEL = WIDTH // 2


def read_table(text):
    """measure -> {peer: median} of the first table in `text`."""
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in text.splitlines() if line.startswith("|")]
    peers = rows[0][1:]
    found = {}
    for row in rows[2:]:
        numbers = [re.match(r"[0-9.e+]+", cell) for cell in row[1:]]
        found[row[0]] = {peer: float(number[0]) for peer, number in zip(peers, numbers) if number}
    return found


def label(x, y, text, size=11, anchor="start", colour="#1f2328", weight="normal"):
    return (f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}" '
            f'font-weight="{weight}">{escape(text)}</text>')


def panel(figures, spec, x, y):
    """The panel's shapes, and the y below it."""
    heading, unit, rows = spec
    shapes = [label(x + 16, y, heading, 14, weight="bold"), label(x + PANEL - 24, y, unit, 11, "end", "#59636e")]
    values = [value for _, row in rows for peer, value in figures.get(row, {}).items() if peer in PEERS]
    if not values:
        return [], y
    scale = (PANEL - LEFT - 90) / max(values)
    y += 14
    for name, row in rows:
        bars = [(peer, figures[row][peer]) for peer in PEERS if peer in figures.get(row, {})]
        shapes.append(label(x + LEFT - 10, y + (len(bars) * (BAR + GAP)) / 2 + 3, name, 12, "end"))
        for peer, value in bars:
            bold = "bold" if peer == "termserv" else "normal"
            shapes.append(f'<rect x="{x + LEFT}" y="{y:.0f}" width="{max(value * scale, 1):.1f}" height="{BAR}" '
                          f'rx="2" fill="{COLOURS[peer]}"/>')
            shapes.append(label(x + LEFT + value * scale + 5, y + BAR - 2, f"{value:.3g} {peer}", 10, weight=bold))
            y += BAR + GAP
        y += GROUP
    return shapes, y


def plot(text):
    """The SVG for the Markdown text of a result."""
    figures = read_table(text)
    shapes, bottoms = [], [30, 30]
    for spec in PANELS:
        column = bottoms.index(min(bottoms))
        more, end = panel(figures, spec, column * PANEL, bottoms[column])
        shapes += more
        bottoms[column] = end + (20 if more else 0)
    height = max(bottoms)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
            f'height="{height:.0f}" font-family="system-ui, sans-serif">\n'
            f'<rect width="{WIDTH}" height="{height:.0f}" rx="8" fill="#ffffff"/>\n' + "\n".join(shapes) + "\n</svg>\n")


def write():
    (HERE / "results.svg").write_text(plot((HERE / "RESULTS.md").read_text()))


if __name__ == "__main__":
    write()
