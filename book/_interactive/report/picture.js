/* The picture of a report, but for its waterfall: S among its bounds, and what each task loses.
   Each function takes numbers and a width in pixels, and returns a drawing whose colours are those
   of picture's classes in report.css. */
"use strict";

YourTable.picture = (() => {
  const { text } = YourTable;
  const { shape, number, CLASSICAL_BOUND: BOUND, TSIRELSON_BOUND: TSIRELSON } = Page;

  const line = (x1, y1, x2, y2, kind) =>
    shape("line", { x1, y1, x2, y2, class: `picture-${kind}` });

  const label = (x, y, said, anchor = "middle", kind = "text") =>
    shape("text", { x, y, "text-anchor": anchor, class: `picture-${kind}` }, said);

  /** A drawing with a description for those who do not see it. */
  function drawing(width, height, said, parts) {
    const box = { viewBox: `0 0 ${width} ${height}`, width, height, role: "img" };
    return shape("svg", { ...box, class: "picture", "aria-label": said }, ...parts);
  }

  /** Round values from `low` to `high`, about `most` of them, and the digits that they need. */
  function ticks(low, high, most) {
    const rough = (high - low) / most;
    const power = Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find((times) => times * 10 ** power >= rough * 0.999) * 10 ** power;
    const values = [];
    for (let k = Math.ceil(low / step); k * step <= high; k += 1) values.push(k * step);
    return { values, digits: Math.max(0, -Math.floor(Math.log10(step * 1.001))) };
  }

  const between = (low, high, from, to) => (value) =>
    from + ((value - low) / (high - low)) * (to - from);

  /** A horizontal interval with its ends. */
  const whisker = (x, y, [low, high], half = 5) => [
    line(x(low), y, x(high), y, "interval"),
    ...[low, high].map((end) => line(x(end), y - half, x(end), y + half, "interval")),
  ];

  function axis(x, y, [low, high], width) {
    const { values, digits } = ticks(low, high, Math.max(3, width / 60));
    return [
      line(x(low), y, x(high), y, "axis"),
      ...values.flatMap((value) => [
        line(x(value), y, x(value), y + 4, "axis"),
        label(x(value), y + 17, number(value, digits), "middle", "tick"),
      ]),
    ];
  }

  /** S with its intervals, the one that decides as a whisker, among 2, 2 + Delta and 2 sqrt 2. */
  function scale({ s, bettingInterval: decides, interval, delta }, width) {
    const bounds = [
      [BOUND + delta, `2 + Δ = ${number(BOUND + delta)}`, "allowed", 14],
      [TSIRELSON, `2√2 = ${number(TSIRELSON)}`, "quantum", 30],
      [BOUND, "2", "bound", 46],
    ];
    const ends = [...decides, ...interval, s, ...bounds.map(([bound]) => bound)];
    const margin = 0.08 * (Math.max(...ends) - Math.min(...ends));
    const range = [Math.min(...ends) - margin, Math.max(...ends) + margin];
    const x = between(...range, 4, width - 4);
    const half = (said) => 3.6 * said.length; // of a label, about
    const clear = (at, said) => Math.min(Math.max(at, half(said)), width - half(said));
    const said =
      `S = ${number(s)}, interval ${text.interval(decides)}, among the bounds 2, ` +
      `2 + Δ = ${number(BOUND + delta)} and 2√2 = ${number(TSIRELSON)}.`;
    return drawing(width, 126, said, [
      ...axis(x, 104, range, width),
      ...bounds.flatMap(([bound, name, kind, top]) => [
        line(x(bound), top + 5, x(bound), 104, kind),
        label(clear(x(bound), name), top, name),
      ]),
      line(x(interval[0]), 80, x(interval[1]), 80, "bootstrap"),
      ...whisker(x, 80, decides, 7),
      shape("circle", { cx: x(s), cy: 80, r: 6, class: "picture-point" }),
    ]);
  }

  /** What each task loses beside its worse partner. */
  function losses({ drops }, width) {
    const [height, left] = [250, 96];
    const ends = [0, ...drops.flatMap((row) => [row.points, ...row.ends])];
    const margin = 0.04 * (Math.max(...ends) - Math.min(...ends));
    const range = [Math.min(...ends) - margin, Math.max(...ends) + margin];
    const x = between(...range, left, width - 16);
    const y = (k) => 28 + 46 * k;
    const said = drops.map((row) =>
      `${row.task} beside ${row.worsePartner} ${number(row.points, 1)} percentage points`).join(", ");
    return drawing(width, height, `${said}.`, [
      ...axis(x, 200, range, width - left),
      ...drops.flatMap((row, k) => [
        shape("rect", {
          x: x(0), y: y(k) - 12, width: x(row.points) - x(0), height: 24, class: "picture-bar",
        }),
        ...whisker(x, y(k), row.ends),
        label(left - 10, y(k) + 4, `${row.task} beside ${row.worsePartner}`, "end"),
      ]),
      line(x(0), 8, x(0), 200, "axis"),
      label((left + width) / 2, 240, "percentage points"),
    ]);
  }

  return { scale, losses };
})();
