/* What S is made of: the four correlators, one on top of the other, the last taken away. */
"use strict";

Page.waterfall = (() => {
  const { shape, number, axes, CLASSICAL_BOUND, SIGNS } = Page;
  const SIZE = { height: 230, left: 24, right: 2, top: 14, bottom: 40 };
  const FOOT = SIZE.height - SIZE.bottom;
  const NAMES = [["A1", "B1"], ["A1", "B2"], ["A2", "B1"], ["A2", "B2"]];

  const signed = (value) => (value < 0 ? number(value) : `+${number(value)}`);

  /** Each bar from where the one before ended; S itself from 0. `ends` are those of an interval. */
  function barsOf({ correlators, s }) {
    let from = 0;
    const bars = correlators.map(({ value, low, high }, k) => {
      const start = from;
      from += SIGNS[k] * value;
      const ends = [low, high].map((end) => start + SIGNS[k] * end);
      const kind = SIGNS[k] < 0 ? "taken" : "added";
      return { from: start, to: from, ends, label: signed(SIGNS[k] * value), names: NAMES[k], kind };
    });
    const total = { from: 0, to: s.value, ends: [s.low, s.high], label: number(s.value) };
    return [...bars, { ...total, names: ["S"], kind: "total" }];
  }

  function scalesOf(bars, width) {
    const levels = axes.levels(bars.flatMap(({ to, ends }) => [to, ...ends]));
    const across = (width - SIZE.left - SIZE.right) / bars.length;
    return {
      levels, across,
      x: (place) => SIZE.left + across * place,
      y: axes.height(levels, SIZE.top, FOOT),
    };
  }

  /** Above a bar; below it where it is taken away, so that its label is beside none at its height. */
  function labelled(from, to, ends, kind, y) {
    const below = y(Math.min(from, to, ...ends)) + 14;
    const above = y(Math.max(from, to, ...ends)) - 4;
    return kind === "taken" && below < FOOT ? below : above;
  }

  function draw({ from, to, ends, label, names, kind }, place, bars, { across, x, y }) {
    const middle = x(place) + across / 2;
    const centred = { x: middle, "text-anchor": "middle" };
    const next = x(Math.min(place + 1, bars.length - 1)) + across * 0.86;
    const top = y(Math.max(from, to));
    return [
      shape("rect", {
        x: x(place) + across * 0.14, width: across * 0.72,
        y: top, height: Math.max(y(Math.min(from, to)) - top, 1), class: `waterfall-${kind}`,
      }),
      shape("line", { x1: middle, x2: next, y1: y(to), y2: y(to), class: "waterfall-joint" }),
      shape("line", {
        x1: middle, x2: middle, y1: y(ends[0]), y2: y(ends[1]), class: "waterfall-interval",
      }),
      shape("text", { ...centred, y: labelled(from, to, ends, kind, y), class: "waterfall-value" }, label),
      ...names.map((name, line) => shape("text", { ...centred, y: FOOT + 16 + 15 * line }, name)),
    ];
  }

  /** What lies between 2 and 2 + Delta, with its name above the first bar, which ends below it. */
  function lift(delta, width, y) {
    if (delta === 0) return [];
    const [top, foot] = [Math.max(y(CLASSICAL_BOUND + delta), 0), y(CLASSICAL_BOUND)];
    const name = top > 0 ? "2 + \u0394" : "2 + \u0394 \u2191"; // beyond the drawing
    const box = { x: SIZE.left, width: width - SIZE.left - SIZE.right, y: top, height: foot - top };
    return [
      shape("rect", { ...box, class: "drawn-lift" }),
      shape("text", { x: SIZE.left + 2, y: Math.max(top, SIZE.top) - 4 }, name),
    ];
  }

  function say(bars, delta) {
    const parts = bars.slice(0, -1).map(({ label, names }) => `${label} from (${names.join(", ")})`);
    const ceiling = `2 + \u0394 = ${number(CLASSICAL_BOUND + delta)}`;
    return `S = ${bars.at(-1).label} is ${parts.join(", ")}. Marked: 2 and ${ceiling}.`;
  }

  /** The drawing, so many pixels wide, of correlators and S as {value, low, high}, and of Delta. */
  return (found, width) => {
    const bars = barsOf(found);
    const scales = scalesOf(bars, width);
    const box = { viewBox: `0 0 ${width} ${SIZE.height}`, width, height: SIZE.height };
    return shape("svg", { ...box, role: "img", "aria-label": say(bars, found.delta) },
      ...lift(found.delta, width, scales.y),
      ...axes.grid(scales.levels, SIZE.left, width - SIZE.right, scales.y),
      ...bars.flatMap((bar, place) => draw(bar, place, bars, scales)),
    );
  };
})();
