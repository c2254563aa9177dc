/* What S is made of: the four correlators, one on top of the other, the last taken away. */
"use strict";

Explorer.waterfall = (() => {
  const { byId, statistics } = Explorer;
  const { shape, number } = Page;
  const SIZE = { width: 260, height: 230, left: 26, right: 4, top: 16, bottom: 40 };
  const BOUND = statistics.CLASSICAL_BOUND;
  const NAMES = [["A1", "B1"], ["A1", "B2"], ["A2", "B1"], ["A2", "B2"]];
  const SIGNS = [1, 1, 1, -1];

  const signed = (value) => (value < 0 ? number(value) : `+${number(value)}`);

  /** Each bar from where the one before ended; S itself from 0. */
  function barsOf({ correlators, s }) {
    let reached = 0;
    const bars = correlators.map(({ value }, k) => {
      const from = reached;
      reached += SIGNS[k] * value;
      const kind = SIGNS[k] < 0 ? "explorer-taken" : "explorer-added";
      return { from, to: reached, label: signed(SIGNS[k] * value), names: NAMES[k], kind };
    });
    const total = { from: 0, to: s.value, label: number(s.value), names: ["S"] };
    return [...bars, { ...total, kind: "explorer-total" }];
  }

  function scalesOf(bars) {
    const ends = bars.flatMap(({ from, to }) => [from, to]);
    const low = Math.floor(Math.min(0, ...ends) + 0.01);
    const high = Math.ceil(Math.max(3, ...ends) - 0.01);
    const across = (SIZE.width - SIZE.left - SIZE.right) / bars.length;
    return {
      low, high, across,
      x: (place) => SIZE.left + across * place,
      y: (value) =>
        SIZE.top + ((high - value) / (high - low)) * (SIZE.height - SIZE.top - SIZE.bottom),
    };
  }

  function grid({ low, high, y }) {
    return Array.from({ length: high - low + 1 }, (_, k) => low + k).flatMap((value) => [
      shape("line", {
        x1: SIZE.left, x2: SIZE.width - SIZE.right, y1: y(value), y2: y(value),
        class: value === BOUND ? "explorer-limit" : "explorer-grid",
      }),
      shape("text", { x: SIZE.left - 6, y: y(value) + 4, "text-anchor": "end" }, number(value, 0)),
    ]);
  }

  function draw(bar, place, bars, { across, x, y }) {
    const { from, to, label, names, kind } = bar;
    const [top, foot] = [y(Math.max(from, to)), y(Math.min(from, to))];
    const middle = x(place) + across / 2;
    const centred = { x: middle, "text-anchor": "middle" };
    const next = bars[place + 1] ? x(place + 1) + across * 0.86 : x(place) + across * 0.86;
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
    drawing.setAttribute("viewBox", `0 0 ${SIZE.width} ${SIZE.height}`);
    drawing.setAttribute("aria-label", `S = ${number(found.s.value)} is ${parts.join(", ")}.`);
    drawing.replaceChildren(
      lifted, ...grid(scales), ...bars.flatMap((bar, place) => draw(bar, place, bars, scales)),
    );
  }

  return { show };
})();
