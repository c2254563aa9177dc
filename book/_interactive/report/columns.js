/* What the cells of a table's columns mean, each distinct one read once: ncnet.chsh.columns. */
"use strict";

YourTable.columns = (() => {
  const { Refused, text: { strip, shortened, quoted } } = YourTable;
  const CODINGS = "true or false, 1 or 0, or +1 or -1";
  const [SIGNED, BINARY, BOOLEAN] = ["+1 and -1", "1 and 0", "true and false"];
  const CONTEXT = /^(?:([12])([12])(?:\.0+)?|([12])(?:\.0+)?(?: *, *| +)([12])(?:\.0+)?)$/;
  const SETTINGS = new Map([["1", 1], ["1.0", 1], ["2", 2], ["2.0", 2]]);
  const DIGITS = "\\d+(?:_\\d+)*";
  const NUMBER = new RegExp(
    `^[+-]?(?:${DIGITS}\\.?(?:${DIGITS})?|\\.${DIGITS})(?:e[+-]?${DIGITS})?$`, "i",
  );
  const SEPARATOR = /[\x1c-\x1f]/; // space to Python, but not around a number
  const NO_NUMBER = /^([+-]?)(?:(inf(?:inity)?)|nan)$/i;

  /** A digit of any script as one of ours: the ten of a script stand in order, without a gap. */
  function digit(letter) {
    const code = letter.codePointAt(0);
    let before = 0;
    while (/\p{Nd}/u.test(String.fromCodePoint(code - before - 1))) before += 1;
    return String(before % 10);
  }

  /** A value as it stands in messages: numbers as they are, all else in quotes. */
  const shown = (column, place) =>
    shortened(column.whole ? column.values[place] : quoted(column.values[place]));

  const firstRow = (column, place) => column.places.indexOf(place);

  /** Where a value first stands. */
  const where = (column, place) =>
    `row ${firstRow(column, place)}: \`${shortened(column.name)}\` is ${shown(column, place)}`;

  /** What `meaning` makes of each distinct cell; null is nothing, and refused. */
  function read(column, meaning, expected) {
    const { whole, values } = column;
    return values.map((value, place) => {
      const means = meaning(value, whole);
      if (means === null) {
        const said = `${where(column, place)}: expected ${expected}`;
        throw new Refused(said, [firstRow(column, place)]);
      }
      return means;
    });
  }

  /** A number as Python reads it, NaN for a blank cell, null for what is none. */
  function number(value) {
    const text = strip(value).replace(/\p{Nd}/gu, digit);
    if (!text) return NaN;
    if (SEPARATOR.test(value)) return null;
    if (NUMBER.test(text)) return Number(text.replaceAll("_", ""));
    const special = NO_NUMBER.exec(text);
    if (!special) return null;
    return special[2] ? Number(`${special[1]}Infinity`) : NaN;
  }

  /** The coding that a cell tells, if it does, and its sign. */
  function outcome(value) {
    const text = strip(value).toLowerCase().replaceAll("\u2212", "-");
    if (text === "true" || text === "false") return [BOOLEAN, text === "true" ? 1 : -1];
    const found = number(text);
    if (found === 1) return [null, 1];
    if (found === 0) return [BINARY, -1];
    return found === -1 ? [SIGNED, -1] : null;
  }

  /** The signs of the distinct cells of some columns, and the one coding that all of them have. */
  function outcomes(columns) {
    let first = null;
    const signs = columns.map((column) => {
      const found = read(column, outcome, CODINGS);
      found.forEach(([coding], place) => {
        if (coding && first && first.coding !== coding) {
          throw new Refused(
            `${where(column, place)}, ${first.where}: expected one coding throughout, ${CODINGS}`,
            [firstRow(column, place), first.row],
          );
        }
        if (coding && !first) {
          first = { coding, where: where(column, place), row: firstRow(column, place) };
        }
      });
      return found.map(([, sign]) => sign);
    });
    return { signs, coding: first?.coding ?? SIGNED };
  }

  function context(value) {
    let text = strip(value);
    if (/^(?:\(.*\)|\[.*\])$/s.test(text)) text = strip(text.slice(1, -1));
    const written = CONTEXT.exec(text);
    return written && written.slice(1).filter(Boolean).map(Number);
  }

  const setting = (value) => SETTINGS.get(strip(value)) ?? null;

  const split = (value) => (value === "training" || value === "held_out" ? value : null);

  function flag(value) {
    const found = outcome(value);
    return found && found[0] !== SIGNED ? found[1] > 0 : null;
  }

  const name = (value) => (strip(value) ? value : null);

  /** A capacity as Python writes it: an integer where the whole column has integers. */
  function capacity(value, whole) {
    const found = number(value);
    if (found === null || Number.isNaN(found)) return null;
    if (whole) return value;
    if (!Number.isFinite(found)) return found > 0 ? "inf" : "-inf";
    if (Object.is(found, -0)) return "-0.0";
    const size = Math.abs(found);
    if (size >= 1e16 || (size && size < 1e-4)) {
      return found.toExponential().replace(/([+-])(\d)$/, "$10$2");
    }
    return Number.isInteger(found) ? `${found}.0` : String(found);
  }

  return { read, shown, outcomes, context, setting, split, flag, number, name, capacity };
})();
