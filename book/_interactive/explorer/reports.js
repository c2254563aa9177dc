/* The games that a full report was recorded for: its intervals, and what it concludes. */
"use strict";

Explorer.reports = (() => {
  const { tables, games } = Explorer;
  const { axes, activation, numbers, verdict, explanation } = Explorer.packed.exact;
  const NAMES = { s: "s", delta: "delta", remainder: "excess" };
  const ENDS = ["low", "high"];

  // Negating a task changes no outcome: see ncnet.studies.atlas.explorer.
  const key = (tasks) => tasks.map(games.classOf).join();
  const keys = axes.game.map((game) => key(game.split(".")));

  const values = Object.fromEntries(
    Object.entries(numbers).map(([name, text]) => [name, tables.unpack(text, Float32Array)]),
  );
  const verdicts = tables.unpack(verdict, Int8Array);
  const explanations = tables.unpack(explanation, Int8Array);

  /** The report's place in the table, or -1 where a choice has none. */
  function placeOf(choice) {
    const game = keys.indexOf(key(choice.tasks));
    if (game < 0 || choice.activation !== activation) return -1;
    const places = [
      [axes.trunk, axes.trunk.indexOf(choice.trunk)],
      [axes.game, game],
      [axes.layout, axes.layout.indexOf(choice.layout)],
      [axes.hidden_size, axes.hidden_size.indexOf(choice.n)],
      [axes.steps, axes.steps.indexOf(choice.step)],
    ];
    return places.reduce((sum, [axis, place]) => sum * axis.length + place, 0);
  }

  /** Ends of intervals, verdict (-1 below 2, 0, 1 above) and explanation (0 within 2 + Delta,
      1 undecided, 2 contextual), or null. */
  function lookUp(choice) {
    const place = placeOf(choice);
    if (place < 0) return null;
    const endsOf = (name) =>
      Object.fromEntries(ENDS.map((end) => [end, values[`${name}_${end}`][place]]));
    return {
      ends: Object.fromEntries(Object.entries(NAMES).map(([own, name]) => [own, endsOf(name)])),
      verdict: verdicts[place] - 1,
      explanation: explanations[place],
    };
  }

  return { lookUp };
})();
