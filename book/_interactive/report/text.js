/* Numbers and cells as text, to the letter as `ncnet report` has them: ncnet.chsh.text and
   ncnet.printing in the Page. */
"use strict";

YourTable.text = (() => {
  const MOST_DIGITS = 15; // those of a float
  const LONGEST = 80; // letters of a name or a value in a message
  const LONGEST_LINE = 1000;
  const BEYOND = 25; // digits that tell a tie from a number that is only close to one
  const ESCAPES = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
  const UNPRINTABLE = /(?! )[\p{C}\p{Z}]/gu;

  /** A size to some digits; a tie goes to the even digit, as in Python and not as in toFixed. */
  function rounded(size, digits) {
    const exact = size.toFixed(digits + BEYOND);
    const cut = exact.slice(0, -BEYOND).replace(/\.$/, "");
    const tie = exact.endsWith("5".padEnd(BEYOND, "0"));
    return tie && /[02468]$/.test(cut) ? cut : size.toFixed(digits);
  }

  /** A number to some digits, 0 without a minus sign; with a sign throughout where `plus` is "+". */
  function number(value, digits = 3, plus = "") {
    const text = rounded(Math.abs(value), digits);
    return (value < 0 && Number(text) !== 0 ? "-" : plus) + text;
  }

  /** An interval; ends that so few digits do not tell apart get more. */
  function interval([low, high], digits = 3, plus = "") {
    while (low < high && digits < MOST_DIGITS && number(low, digits) === number(high, digits)) {
      digits += 1;
    }
    return `[${number(low, digits, plus)}, ${number(high, digits, plus)}]`;
  }

  function pValue(p) {
    if (p < 1e-300) return "<1e-300"; // a float holds hardly less
    return p >= 0.001 ? number(p) : p.toExponential(0).replace(/-(\d)$/, "-0$1");
  }

  const { count } = Page;
  const counted = (value, things) => `${count(value)} ${value > 1 ? things : things.slice(0, -1)}`;

  /** A letter that steers what shows it, written out. */
  function escaped(letter) {
    const code = letter.codePointAt(0);
    const [mark, digits] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
    return ESCAPES[letter] ?? `\\${mark}${code.toString(16).padStart(digits, "0")}`;
  }

  const printable = (text) => text.replace(UNPRINTABLE, escaped);

  /** Text without the space before it, which is Python's: `trimStart` takes other letters away. */
  function lstrip(text) {
    let start = 0;
    while (start < text.length && SPACE.test(text[start])) start += 1;
    return text.slice(start);
  }

  function strip(text) {
    let end = text.length;
    while (end && SPACE.test(text[end - 1])) end -= 1;
    return lstrip(text.slice(0, end));
  }

  /** Of text with too many letters the beginning and the end. */
  function shortened(text, longest = LONGEST) {
    if (text.length <= longest) return text;
    const letters = [...text];
    const half = (longest - 3) >> 1;
    if (letters.length <= longest) return text;
    return `${letters.slice(0, half).join("")}...${letters.slice(-half).join("")}`;
  }

  /** A text in quotes, so that one sees where it begins and ends. */
  function quoted(text) {
    const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
    const inner = printable(text.replaceAll("\\", "\\\\"));
    return quote + (quote === "'" ? inner.replaceAll("'", "\\'") : inner) + quote;
  }

  const line = (text) => shortened(printable(text), LONGEST_LINE);

  /** What the report says, with the symbols that a page can show. */
  const typeset = (text) =>
    text.replaceAll("Delta", "Δ").replaceAll("<=", "≤").replaceAll(">=", "≥")
      .replace(/(^|[\s[(])-(?=[\d\s])/g, "$1\u2212")
      .replace(/(\[[^\s\]]+) /g, "$1\u00a0") // no line ends within an interval, or a difference
      .replaceAll("S \u2212 Δ \u2212 2", "S\u00a0\u2212\u00a0Δ\u00a0\u2212\u00a02");

  return {
    number, interval, pValue, count, counted, lstrip, strip, shortened, quoted, line, typeset,
  };
})();
