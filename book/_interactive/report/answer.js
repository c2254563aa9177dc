/* Shows a report: conclusion, picture, tables, notes. What a table says is text, not markup. */
"use strict";

YourTable.answer = (() => {
  const { byId, words, picture, text } = YourTable;
  const { element } = Page;
  const { typeset } = text;
  let redraw = () => {};

  const paragraph = (said, kind) => element("p", kind ? { class: kind } : {}, typeset(said));

  function head(report) {
    const [first, ...more] = words.conclusion(report).map(typeset);
    return element("div", { class: "report-conclusion" },
      element("strong", {}, first), ...more.map((sentence) => element("p", {}, sentence)));
  }

  function notesOf(notes) {
    if (!notes.length) return [];
    const items = notes.map((note) => element("li", {}, text.line(note)));
    return [element("ul", { class: "report-notes", "aria-label": "Notes on the table" }, ...items)];
  }

  function panel(title, draw) {
    const place = element("div", {});
    const drawn = () => place.replaceChildren(draw(place.clientWidth || 320));
    const shown = element("figure", {}, element("figcaption", {}, typeset(title)), place);
    return { shown, drawn };
  }

  /** What S is made of, as the shared drawing takes it. */
  function partsOf({ correlators, correlatorIntervals, s, bettingInterval: [low, high], delta }) {
    const parts = correlators.map((value, k) => {
      const [least, most] = correlatorIntervals[k];
      return { value, low: least, high: most };
    });
    return { correlators: parts, s: { value: s, low, high }, delta };
  }

  function pictureOf(report) {
    const title = `S = ${text.number(report.s)}, ${report.verdict}`;
    const panels = [
      panel(`${title}; ${words.intervals(report)}`, (width) => picture.scale(report, width)),
      panel("What S is made of", (width) => Page.waterfall(partsOf(report), width)),
      panel("What each task loses", (width) => picture.losses(report, width)),
    ];
    redraw = () => panels.forEach(({ drawn }) => drawn());
    return element("div", { class: "report-picture" }, ...panels.map(({ shown }) => shown));
  }

  function cells(row) {
    const [first, ...others] = row.map(typeset);
    return element("tr", {}, element("th", { scope: "row" }, first),
      ...others.map((cell) => element("td", {}, cell)));
  }

  /** A table that is scrolled along by itself, with the keyboard too, where it is too wide. */
  function tableOf({ caption, head: names, rows }) {
    const heads = names.map((name) =>
      (name ? element("th", { scope: "col" }, name) : element("td", {})));
    const table = element("table", {},
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, ...heads)),
      element("tbody", {}, ...rows.map(cells)));
    const region = { class: "report-table", tabindex: 0, role: "region", "aria-label": caption };
    return element("div", region, table);
  }

  function sourceOf({ name, rows, coding, capacity }, report) {
    const parts = [
      `Input: ${text.shortened(name)}`, `rows: ${text.count(rows)}`, `coding: ${coding}`,
      ...(capacity === null ? [] : [`capacity: ${capacity}`]),
      `split: ${report.split}`, `level: ${report.level}`,
    ];
    return element("p", { class: "report-source" },
      `${typeset(words.methods(report))} ${text.line(parts.join("; "))}`);
  }

  function show(outcomes, report) {
    const place = byId("answer");
    place.replaceChildren(
      ...notesOf(outcomes.notes), head(report), pictureOf(report), paragraph(words.read(report)),
      ...[words.drops, words.usual, words.contexts].map((table) => tableOf(table(report))),
      ...words.notes(report).map((note) => paragraph(note)),
      sourceOf(outcomes, report),
    );
    place.hidden = false;
    redraw();
  }

  function clear() {
    redraw = () => {};
    byId("answer").hidden = true;
    byId("answer").replaceChildren();
  }

  const build = () => Page.onAppearance(byId("answer"), () => redraw());

  return { build, show, clear };
})();
