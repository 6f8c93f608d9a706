// xterm.js as a dump program (stream.h). Its modules lie in the folder of the first argument.
"use strict";
const fs = require("fs");
const path = require("path");
const modules = path.resolve(process.argv[2]);
const { Terminal } = require(path.join(modules, "@xterm/headless"));
const { Unicode11Addon } = require(path.join(modules, "@xterm/addon-unicode11"));

const input = fs.readFileSync(0);
const out = [];
let at = 0;
let terminal = null;
let title = "";
let replies = [];
let died = false;
let begun = 0; // how much there was when the stream began

function line() {
    const end = input.indexOf(10, at);
    const text = input.toString("latin1", at, end);
    at = end + 1;
    return text.split(" ");
}

function bytes(length) {
    at += length;
    return input.subarray(at - length, at);
}

function start(rows, cols) {
    title = "";
    died = false;
    begun = out.length;
    terminal = new Terminal({ rows, cols, scrollback: 10000, allowProposedApi: true, logLevel: "off",
        windowOptions: { getWinSizeChars: true, pushTitle: true, popTitle: true } });
    terminal.loadAddon(new Unicode11Addon());
    terminal.unicode.activeVersion = "11";
    terminal.onTitleChange((text) => { title = text; });
    terminal.onData((text) => replies.push(Buffer.from(text, "utf8")));
    terminal.onBinary((text) => replies.push(Buffer.from(text, "latin1")));
}

// Some streams make it throw; such a one ends with `died` for all its facts.
function feed(data) {
    try {
        terminal._core.writeSync(data);
    } catch (error) {
        died = true;
    }
}

function color(cell, kind) {
    if (cell[`is${kind}Default`]()) {
        return "default";
    }
    const value = cell[`get${kind}Color`]();
    return cell[`is${kind}RGB`]() ? "#" + value.toString(16).padStart(6, "0") : String(value);
}

const points = (text) => text === "" ? "-" : Array.from(text, (c) => c.codePointAt(0).toString(16)).join("+");

function underlineColor(cell) {
    if (cell.isUnderlineColorDefault === undefined || cell.isUnderlineColorDefault()) {
        return "default";
    }
    const value = cell.getUnderlineColor();
    if ((cell.extended._ext & 0x3ffffff) === 0x3ffffff) { // what SGR 59 leaves
        return "default";
    }
    return cell.isUnderlineColorRGB() ? "#" + (value & 0xffffff).toString(16).padStart(6, "0") : String(value & 255);
}

// The public cell shows a link as a dashed underline.
function underlineStyle(cell) {
    const style = cell.extended._ext >>> 26 & 7;
    const underlined = (cell.fg & 0x10000000) !== 0;
    return ["none", "single", "double", "curly", "dotted", "dashed"][underlined ? style || 1 : 0];
}

function dumpCell(cell, y, x) {
    const looks = ["bold", "dim", "italic", "blink", "inverse", "invisible", "overline"]
        .filter((name) => cell[`is${name[0].toUpperCase()}${name.slice(1)}`]());
    if (cell.isStrikethrough()) {
        looks.push("strike");
    }
    const underline = underlineStyle(cell);
    const text = cell.getChars() === " " ? "" : cell.getChars();
    const fg = color(cell, "Fg");
    const bg = color(cell, "Bg");
    if (text === "" && looks.length === 0 && underline === "none" && fg === "default" && bg === "default" &&
            cell.getWidth() === 1) {
        return;
    }
    out.push(`cell ${y} ${x} ${cell.getWidth()} ${points(text)} ${looks.join(",") || "-"} ${fg} ${bg} ` +
        `${underline} ${underlineColor(cell)}`);
}

function dump() {
    const buffer = terminal.buffer.active;
    for (let y = 0; y < terminal.rows; y++) {
        const row = buffer.getLine(buffer.baseY + y);
        for (let x = 0; x < terminal.cols; x++) {
            dumpCell(row.getCell(x), y, x);
        }
    }
    out.push(`cursor ${buffer.cursorY} ${Math.min(buffer.cursorX, terminal.cols - 1)}`);
    out.push(`title ${Buffer.from(title, "utf8").toString("hex")}`);
    out.push(`alternate ${buffer.type === "alternate" ? 1 : 0}`);
    const primary = terminal.buffer.normal;
    for (let y = 0; y < primary.baseY; y++) {
        const row = primary.getLine(y);
        const cells = [];
        for (let x = 0; x < row.length; x++) {
            cells.push(points(row.getCell(x).getChars()));
        }
        out.push(`history ${y} ${cells.join(" ")}`);
    }
    out.push(".");
}

function main() {
    while (at < input.length) {
        const [order, a, b] = line();
        if (order === "stream") {
            start(Number(a), Number(b));
        } else if (order === "feed" || order === "ask") {
            replies = [];
            feed(bytes(Number(a)));
            if (order === "ask") {
                out.push(`reply ${Buffer.concat(replies).toString("hex")}`);
            }
        } else if (order === "resize") {
            terminal.resize(Number(b), Number(a));
        } else if (order === "dump") {
            dump();
        } else if (order === "end") {
            if (died) {
                out.splice(begun, out.length, "died");
            }
            terminal.dispose();
        } else {
            throw new Error("an unknown order: " + order);
        }
    }
    process.stdout.write(out.join("\n") + "\n");
}

main();
