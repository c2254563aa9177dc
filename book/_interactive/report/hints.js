/* What may help beside a refusal: the page's own lines below the sentence, which is Python's. */
"use strict";

YourTable.hints = (() => {
  const RATE = /: `[ab]` is '?[+-]?\d*[.,]?\d+ ?%?'?: expected true or false/;
  const WIDTH = /: row \d+ has (\d+) cells, the header (\d+)$/;

  const hasOneCellMore = (message) => {
    const [, cells, header] = WIDTH.exec(message) ?? [];
    return Number(cells) === Number(header) + 1;
  };

  const HINTS = [
    [(message) => message.startsWith("the table has no column"),
      "Name the columns in the first row context, replica, item, a, b."],
    [hasOneCellMore, "A context with a comma needs quotes, or is written 11, 12, 21 or 22."],
    [(message) => RATE.test(message), "One row an item: right or wrong, no rates."],
    [(message) => message.includes("perhaps a workbook"), "Save it as CSV."],
  ];

  /** Which lines of the file the rows are that the refusal names. */
  function whereRows({ rows, lines }) {
    if (!lines?.length) return [];
    const [word, be, line] = rows.length > 1 ? ["rows", "are", "lines"] : ["row", "is", "line"];
    return [
      `Rows count from 0, without the header and blank lines: ${word} ${rows.join(" and ")} ` +
        `${be} ${line} ${lines.join(" and ")} of the file.`,
    ];
  }

  const on = (refusal) => [
    ...HINTS.filter(([fits]) => fits(refusal.message)).map(([, hint]) => hint),
    ...whereRows(refusal),
  ];

  return { on };
})();
