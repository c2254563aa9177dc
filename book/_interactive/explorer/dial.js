/* S on a dial: what it is, how far Delta could lift it, and the bounds that have names. */
"use strict";

Explorer.dial = (() => {
  const { byId } = Explorer;
  const { shape, number, CLASSICAL_BOUND, TSIRELSON_BOUND } = Page;
  const ALGEBRAIC_BOUND = 4;
  const LOWEST = -1; // no game of the tables gets below it
  const SIZE = { width: 270, height: 150, x: 131, y: 140 };
  const RADIUS = { s: 92, allowed: 105, ceiling: 117, label: 68 };
  const LENGTH = 100; // of an arc, whatever its radius
  const parts = {};

  /** How far along the dial a value lies, from 0 to 1. */
  const along = (value) =>
    Math.min(Math.max((value - LOWEST) / (ALGEBRAIC_BOUND - LOWEST), 0), 1);

  function at(value, radius) {
    const angle = Math.PI * (1 - along(value));
    return [SIZE.x + radius * Math.cos(angle), SIZE.y - radius * Math.sin(angle)];
  }

  function arc(radius, kind) {
    const [left, right] = [SIZE.x - radius, SIZE.x + radius];
    const d = `M${left},${SIZE.y} A${radius},${radius} 0 0 1 ${right},${SIZE.y}`;
    return shape("path", { d, pathLength: LENGTH, class: kind });
  }

  /** Let an arc be seen between two values only. */
  function reach(drawn, low, high) {
    const [start, end] = [along(low), along(high)].map((share) => LENGTH * share);
    drawn.style.strokeDasharray = `0 ${start} ${end - start} ${2 * LENGTH}`;
  }

  function bound(value, name) {
    const [[x1, y1], [x2, y2]] = [RADIUS.s - 9, RADIUS.allowed + 5].map((r) => at(value, r));
    const [x, y] = at(value, RADIUS.label);
    const mark = shape("line", { x1, y1, x2, y2, class: "explorer-tick" });
    return [mark, shape("text", { x, y: y + 4, "text-anchor": "middle" }, name)];
  }

  function buildHand() {
    const ends = { x1: 10 - RADIUS.s, x2: -RADIUS.allowed, y1: 0, y2: 0 };
    parts.hand = shape("line", { ...ends, class: "explorer-hand" });
    parts.ceiling = shape("text", {}, "2 + \u0394");
    const centre = shape("g", { transform: `translate(${SIZE.x} ${SIZE.y})` }, parts.hand);
    return [parts.ceiling, centre];
  }

  function build() {
    const whole = arc(RADIUS.s, "explorer-track");
    parts.s = arc(RADIUS.s, "explorer-reached");
    parts.allowed = arc(RADIUS.allowed, "explorer-lifted");
    byId("dial").setAttribute("viewBox", `0 0 ${SIZE.width} ${SIZE.height}`);
    byId("dial").append(
      whole, parts.s, parts.allowed,
      ...bound(0, "0"),
      ...bound(CLASSICAL_BOUND, "2"),
      ...bound(TSIRELSON_BOUND, "2\u221a2"),
      ...bound(ALGEBRAIC_BOUND, "4"),
      ...buildHand(),
    );
  }

  function say({ s, delta }) {
    const ceiling = CLASSICAL_BOUND + delta.value;
    const bounds = `2 without influence, 2 + \u0394 = ${number(ceiling)}, 2\u221a2 for quantum systems`;
    return `S = ${number(s.value)} on a dial from \u22121 to 4. Marked: ${bounds}.`;
  }

  function show(found) {
    const { s, delta } = found;
    const ceiling = CLASSICAL_BOUND + delta.value;
    reach(parts.s, LOWEST, s.value);
    reach(parts.allowed, CLASSICAL_BOUND, ceiling);
    parts.hand.style.transform = `rotate(${180 * along(s.value)}deg)`;
    const [x, y] = at(ceiling, RADIUS.ceiling);
    parts.ceiling.setAttribute("x", x);
    parts.ceiling.setAttribute("y", y + 2);
    byId("dial").setAttribute("aria-label", say(found));
  }

  return { build, show };
})();
