/* Where each step of the tour begins: what it chooses, by the name that its address has. */
"use strict";

Explorer.stories = (() => {
  const { BOOK, PRESETS } = Explorer.games;

  /** In the order of the tour. What a story does not choose is as in Explorer.state. */
  const STORIES = {
    unit: { tasks: BOOK, n: 2 },
    critical: { tasks: BOOK, n: 3 },
    neuron: { tasks: PRESETS["A constant and one input"], n: 2 },
    same: { tasks: BOOK, n: 3 },
    failures: { tasks: PRESETS["One input, four times"], n: 1, step: 1, replica: 10 },
    apart: { tasks: BOOK, n: 3 },
    line: { tasks: BOOK, n: 1, step: 150 },
  };

  return { STORIES, NAMES: Object.keys(STORIES) };
})();
