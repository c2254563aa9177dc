/* What S is made of: the four correlators, one on top of the other, the last taken away. */
"use strict";

Explorer.waterfall = (() => {
  const { byId, statistics, axes } = Explorer;
  const { shape, number } = Page;
  const SIZE = { width: 260, height: 230, left: 26, right: 4, top: 16, bottom: 40 };
  const BOUND = statistics.CLASSICAL_BOUND;
  const NAMES = [["A1", "B1"], ["A1", "B2"], ["A2", "B1"], ["A2", "B2"]];

  const signed = (value) => (value < 0 ? number(value) : `+${number(value)}`);

  /** Each bar from where the one before ended; S itself from 0. */
  function barsOf({ correlators, s }) {
    let reached = 0;
    const bars = correlators.map(({ value }, k) => {
      const from = reached;
      reached += statistics.SIGNS[k] * value;
      const kind = statistics.SIGNS[k] < 0 ? "explorer-taken" : "explorer-added";
      return { from, to: reached, label: signed(statistics.SIGNS[k] * value), names: NAMES[k], kind };
    });
    const total = { from: 0, to: s.value, label: number(s.value), names: ["S"] };
    return [...bars, { ...total, kind: "explorer-total" }];
  }

  function scalesOf(bars) {
    const levels = axes.levels(bars.flatMap(({ from, to }) => [from, to]));
    const across = (SIZE.width - SIZE.left - SIZE.right) / bars.length;
    return {
      levels, across,
      x: (place) => SIZE.left + across * place,
      y: axes.height(levels, SIZE.top, SIZE.height - SIZE.bottom),
    };
  }

  function draw(bar, place, bars, { across, x, y }) {
    const { from, to, label, names, kind } = bar;
    const [top, foot] = [y(Math.max(from, to)), y(Math.min(from, to))];
    const middle = x(place) + across / 2;
    const centred = { x: middle, "text-anchor": "middle" };
    const next = x(bars[place + 1] ? place + 1 : place) + across * 0.86;
    return [
      shape("rect", {
        x: x(place) + across * 0.14, width: across * 0.72,
        y: top, height: Math.max(foot - top, 1), class: kind,
      }),
      shape("line", { x1: middle, x2: next, y1: y(to), y2: y(to), class: "explorer-joint" }),
      shape("text", { ...centred, y: top - 4, class: "explorer-bar-value" }, label),
      ...names.map((name, line) =>
        shape("text", { ...centred, y: SIZE.height - SIZE.bottom + 16 + 15 * line }, name),
      ),
    ];
  }

  function show(found) {
    const bars = barsOf(found);
    const scales = scalesOf(bars);
    const [top, foot] = [scales.y(BOUND + found.delta.value), scales.y(BOUND)];
    const lifted = shape("rect", {
      x: SIZE.left, width: SIZE.width - SIZE.left - SIZE.right,
      y: Math.max(top, 0), height: Math.max(foot - Math.max(top, 0), 0), class: "explorer-lift",
    });
    const parts = bars.slice(0, -1).map(({ label, names }) => `${label} from (${names.join(", ")})`);
    const drawing = byId("waterfall");
    const grid = axes.grid(scales.levels, SIZE.left, SIZE.width - SIZE.right, scales.y);
    drawing.setAttribute("viewBox", `0 0 ${SIZE.width} ${SIZE.height}`);
    drawing.setAttribute("aria-label", `S = ${number(found.s.value)} is ${parts.join(", ")}.`);
    drawing.replaceChildren(
      lifted, ...grid, ...bars.flatMap((bar, place) => draw(bar, place, bars, scales)),
    );
  }

  return { show };
})();
