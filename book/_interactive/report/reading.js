/* Reads the content of a file, if it is text, as a table of cells: ncnet.chsh.files. */
"use strict";

YourTable.reading = (() => {
  const { Refused, text: { lstrip, strip, shortened } } = YourTable;
  const WHOLE = /^(?:0|-?[1-9][0-9]{0,17})$/;
  const MOST_BYTES = 2 ** 28; // beyond it a browser may hold no such text
  const [TAB, NEWLINE, RETURN, QUOTE] = ["\t", "\n", "\r", '"'].map((sign) => sign.charCodeAt(0));
  const OTHERS = [
    ["a gzip file", [0x1f, 0x8b]],
    ["a parquet file", [0x50, 0x41, 0x52, 0x31]],
    ["a zip file, perhaps a workbook", [0x50, 0x4b, 3, 4]],
  ];
  const EXPECTED = "expected text with commas, semicolons or tabs";
  const ELSEWHERE = `${EXPECTED}; \`ncnet report\` reads parquet, JSON lines and gzip, too`;

  const startsWith = (bytes, start) => start.every((byte, place) => bytes[place] === byte);

  function decoded(bytes, name) {
    if (bytes.length > MOST_BYTES) {
      throw new Refused(`${name} is too large for this page: \`ncnet report\` reads it`);
    }
    for (const [kind, start] of OTHERS) {
      if (startsWith(bytes, start)) throw new Refused(`${name} is ${kind}: ${ELSEWHERE}`);
    }
    const [little, big] = [startsWith(bytes, [0xff, 0xfe]), startsWith(bytes, [0xfe, 0xff])];
    const encoding = little ? "utf-16le" : big ? "utf-16be" : "utf-8";
    try {
      return new TextDecoder(encoding, { fatal: true }).decode(bytes);
    } catch {
      const called = encoding.slice(0, 6).replace(/-$/, "").toUpperCase();
      throw new Refused(`${name} is no text in ${called}: ${ELSEWHERE}`);
    }
  }

  /** The cells of a column: the distinct ones, in the order in which they come, and each row's. */
  class Column {
    constructor(name) {
      this.name = name;
      this.places = [];
      this.values = [];
      this.known = new Map();
    }

    add(cell) {
      let place = this.known.get(cell);
      if (place === undefined) {
        place = this.values.length;
        this.known.set(cell, place);
        this.values.push(cell);
      }
      this.places.push(place);
    }

    /** Whether each cell is an integer as numbers are written: 7, not 007, 7.0 or 1E3. */
    get whole() {
      return this.values.every((value) => WHOLE.test(value));
    }
  }

  /** How many lines end in a cell. */
  const breaksIn = (cell) => cell.match(/\r\n|\r|\n/g)?.length ?? 0;

  /** Call `onRow` with the cells of each row, by the rules of Python's csv, and with the line where
      it begins; it may not keep the cells. */
  function eachRow(text, delimiter, onRow) {
    const end = text.length;
    let at = 0;
    let line = 0;

    const isBreak = (code) => code === NEWLINE || code === RETURN;

    function plainUntil() {
      const start = at;
      for (; at < end; at += 1) {
        const code = text.charCodeAt(at);
        if (code === delimiter || code === NEWLINE || code === RETURN) break;
      }
      return text.slice(start, at);
    }

    function inQuotes() {
      const parts = [];
      at += 1;
      for (;;) {
        const close = text.indexOf('"', at);
        parts.push(text.slice(at, close < 0 ? end : close));
        at = close < 0 ? end : close + 1;
        if (text.charCodeAt(at) !== QUOTE) break; // doubled, it is a quote within the cell
        parts.push('"');
        at += 1;
      }
      const inside = parts.join("");
      line += breaksIn(inside);
      return inside + plainUntil();
    }

    const row = [];
    while (at < end) {
      row.length = 0;
      line += 1;
      const start = line;
      for (let more = !isBreak(text.charCodeAt(at)); more; ) {
        const cell = text.charCodeAt(at) === QUOTE ? inQuotes() : plainUntil();
        row.push(cell);
        more = text.charCodeAt(at) === delimiter;
        if (more) at += 1;
      }
      at += text.charCodeAt(at) === RETURN && text.charCodeAt(at + 1) === NEWLINE ? 2 : 1;
      if (row.length > 1 || (row.length && strip(row[0]))) onRow(row, start);
    }
  }

  function delimiterOf(text) {
    const start = lstrip(text);
    const breaks = start.indexOf("\n");
    const first = (breaks < 0 ? start : start.slice(0, breaks)).replace(/"[^"]*"/g, "");
    if (first.includes("\t")) return TAB;
    return (first.includes(";") && !first.includes(",") ? ";" : ",").charCodeAt(0);
  }

  function delimited(text, name) {
    let columns = null;
    const lines = [];
    let longer = 0; // rows with just one cell too many, an empty one
    let wrong = null;
    eachRow(text, delimiterOf(text), (row, line) => {
      if (!columns) {
        columns = row.map((cell) => new Column(strip(cell)));
        return;
      }
      const width = columns.length;
      if (row.length === width) row.forEach((cell, place) => columns[place].add(cell));
      else wrong ??= { row: lines.length, line, cells: row.length };
      longer += row.length === width + 1 && row[width] === "";
      lines.push(line);
    });
    if (!columns) throw new Refused(`${name} is empty: expected a table`);
    const rows = lines.length;
    if (rows && longer === rows) {
      throw new Refused(
        `${name}: each row ends with an empty cell (a comma too many?): expected ` +
          `${columns.length} cells, as in the header`,
      );
    }
    if (wrong) {
      const said = `row ${wrong.row} has ${wrong.cells} cells, the header ${columns.length}`;
      throw new Refused(`${name}: ${said}`, [wrong.row], [wrong.line]);
    }
    return { rows, lines, columns };
  }

  /** The table that bytes hold, and the line where each row begins. Rows count from 0, without the
      header and blank lines. */
  function read(bytes, called) {
    const name = shortened(called);
    const text = decoded(bytes, name);
    if (text.includes("\0")) {
      throw new Refused(`${name} is no text, it holds zero bytes: ${ELSEWHERE}`);
    }
    const first = lstrip(text)[0];
    if (!first) throw new Refused(`${name} is empty: expected a table`);
    if ("[{".includes(first)) throw new Refused(`${name} begins with \`${first}\`: ${ELSEWHERE}`);
    return delimited(text, name);
  }

  return { read };
})();
