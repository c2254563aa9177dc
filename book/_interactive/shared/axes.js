/* Axes of what is drawn over values of S: whole numbers on the left, a dashed line at 2. */
"use strict";

Page.axes = (() => {
  const { shape, number, CLASSICAL_BOUND } = Page;

  /** Whole numbers around these values, from 0 to 3 at least. */
  function levels(values) {
    const lowest = Math.floor(Math.min(0, ...values) + 0.01);
    const highest = Math.ceil(Math.max(3, ...values) - 0.01);
    return Array.from({ length: highest - lowest + 1 }, (_, k) => lowest + k);
  }

  /** Where a value lies between the first and the last of the levels, in pixels from the top. */
  function height(levels, top, foot) {
    const [low, high] = [levels[0], levels.at(-1)];
    return (value) => top + ((high - value) / (high - low)) * (foot - top);
  }

  function grid(levels, left, right, y) {
    return levels.flatMap((level) => [
      shape("line", {
        x1: left, x2: right, y1: y(level), y2: y(level),
        class: level === CLASSICAL_BOUND ? "drawn-bound" : "drawn-grid",
      }),
      shape("text", { x: left - 6, y: y(level) + 4, "text-anchor": "end" }, number(level, 0)),
    ]);
  }

  return { levels, height, grid };
})();
