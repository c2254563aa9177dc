/* Unpacks the recorded tables (ncnet.studies.atlas.explorer), which book/_ext/explorer_data.py has packed. */
"use strict";

Explorer.tables = (() => {
  const { axes, replicas, means, errors, errorUnit, starts } = Explorer.packed;
  const PAIRS = axes.alice_task.length * axes.bob_task.length;
  const LENGTHS = [axes.trunk, axes.layout, axes.activation, axes.hidden_size, axes.steps].map(
    (values) => values.length,
  );
  // At 95 %, as ncnet.studies.atlas.explorer.margin_of_error has it: 1.96 standard errors, or what may be missed.
  const NORMAL_95 = 1.96;
  const UNSEEN = (2 * Math.log(40)) / replicas;

  function unpack(text, Kind) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return new Kind(bytes.buffer);
  }

  const unpackAll = (texts, Kind) =>
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, unpack(text, Kind)]));

  const counts = unpackAll(means, Int16Array);
  const standardErrors = unpackAll(errors, Uint16Array);

  /** Where the 64 pairs of one choice begin: {trunk, layout, activation, n, step}. */
  function offset({ trunk, layout, activation, n, step }) {
    const places = [
      axes.trunk.indexOf(trunk),
      axes.layout.indexOf(layout),
      axes.activation.indexOf(activation),
      axes.hidden_size.indexOf(n),
      axes.steps.indexOf(step),
    ];
    return PAIRS * places.reduce((sum, place, axis) => sum * LENGTHS[axis] + place, 0);
  }

  const outcomes = (layout) => replicas * 2 ** Explorer.games.LAYOUTS[layout].bits;

  /** The mean `name` ("correlator", "alice", "bob") of one pair of classes, with its interval. */
  function mean(name, choice, aliceClass, bobClass) {
    const place = offset(choice) + axes.bob_task.length * aliceClass + bobClass;
    const value = counts[name][place] / outcomes(choice.layout);
    const half = Math.max(NORMAL_95 * standardErrors[name][place] * errorUnit, UNSEEN);
    return { value, low: Math.max(value - half, -1), high: Math.min(value + half, 1) };
  }

  /** All 64 means `name` of one choice, without intervals: [8 * aliceClass + bobClass]. */
  function allMeans(name, choice) {
    const start = offset(choice);
    const total = outcomes(choice.layout);
    return Float64Array.from(counts[name].subarray(start, start + PAIRS), (count) => count / total);
  }

  const startWeights = {};

  /** Initial weights of one replica: {trunk: n rows of inputs, heads: [Alice's n, Bob's n]}. */
  function start({ layout, n, replica }) {
    const key = `${layout} ${n}`;
    startWeights[key] ??= unpack(starts.weights[layout][n], Float32Array);
    const width = Explorer.games.LAYOUTS[layout].bits + 2;
    const unit = (k) => startWeights[key].subarray((replica * n + k) * width).subarray(0, width);
    const units = Array.from({ length: n }, (_, k) => Array.from(unit(k)));
    return {
      trunk: units.map((weights) => weights.slice(0, -2)),
      heads: [units.map((weights) => weights.at(-2)), units.map((weights) => weights.at(-1))],
    };
  }

  return {
    trunks: axes.trunk,
    layouts: axes.layout,
    activations: axes.activation,
    sizes: axes.hidden_size,
    steps: axes.steps,
    replicas,
    examples: starts.replicas,
    unpack,
    mean,
    allMeans,
    start,
  };
})();
