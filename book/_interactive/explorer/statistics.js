/* S, Delta and what is left of S, looked up for any game as ncnet.studies.atlas.explorer.look_up does. */
"use strict";

Explorer.statistics = (() => {
  const { tables, games, reports } = Explorer;
  const { CLASSICAL_BOUND, SIGNS } = Page;
  const ROUNDING = 1e-9;
  const GAMES = 8 ** 4; // of an atlas: up to negated tasks
  const CONTEXTS = [[0, 0], [0, 1], [1, 0], [1, 1]]; // settings of Alice and Bob, from 0

  const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

  /** S with the ends reached where all contexts are at the ends of their intervals at once. */
  function sOf(correlators) {
    const end = (name, opposite) =>
      sum(correlators.map((e, k) => (SIGNS[k] > 0 ? e[name] : -e[opposite])));
    return { value: end("value", "value"), low: end("low", "high"), high: end("high", "low") };
  }

  /** By how much a marginal changes with the other party's setting. */
  function change(one, other) {
    return {
      value: Math.abs(one.value - other.value),
      low: Math.max(one.low - other.high, other.low - one.high, 0),
      high: Math.max(one.high - other.low, other.high - one.low),
    };
  }

  /** Nothing changes for a party where the other one's tasks are the same. */
  function deltaOf(alice, bob, [isAliceSame, isBobSame]) {
    const changes = [
      ...(isBobSame ? [] : [change(alice[0], alice[1]), change(alice[2], alice[3])]),
      ...(isAliceSame ? [] : [change(bob[0], bob[2]), change(bob[1], bob[3])]),
    ];
    const end = (name) => sum(changes.map((changed) => changed[name]));
    return { value: end("value"), low: end("low"), high: end("high") };
  }

  const remainder = (s, delta) => ({
    value: s.value - delta.value - CLASSICAL_BOUND,
    low: s.low - delta.high - CLASSICAL_BOUND,
    high: s.high - delta.low - CLASSICAL_BOUND,
  });

  /** Share of outcomes in which both heads are wrong: they agree, and raise the correlator. */
  const bothWrong = (e, a, b) => (1 - a.value - b.value + e.value) / 4;

  /** What intervals that are put together from contexts conclude, in the terms of a report. */
  function concluded(s, left) {
    const isAbove = s.low > CLASSICAL_BOUND;
    const isContextual = left.low > 0;
    return {
      verdict: isAbove ? 1 : s.high < CLASSICAL_BOUND ? -1 : 0,
      explanation: isContextual ? 2 : left.high <= 0 ? 0 : 1,
    };
  }

  /** With what is a theorem: Delta is 0 where no head can know of the other's task, or no task
      changes; and then, or where one party's tasks are the same, S is at most 2. */
  function bounded(found, { trunk }, areSame) {
    if (trunk === "shared" && !areSame.includes(true)) return found;
    const s = { ...found.s, high: Math.min(found.s.high, CLASSICAL_BOUND) };
    const isExact = trunk === "own" || !areSame.includes(false);
    const delta = isExact ? { value: 0, low: 0, high: 0 } : found.delta;
    return { ...found, s, delta, remainder: remainder(s, delta) };
  }

  /** With the intervals and conclusions of its report, where a game has one. */
  function reported(found, choice) {
    const report = reports.lookUp(choice);
    if (!report) return { ...found, ...concluded(found.s, found.remainder), isReported: false };
    const ends = Object.entries(report.ends).map(([name, own]) => [
      name, { ...found[name], ...own },
    ]);
    const { verdict, explanation } = report;
    return { ...found, ...Object.fromEntries(ends), verdict, explanation, isReported: true };
  }

  /** All that the page says of a game.

      The choice is {trunk, layout, activation, n, step, tasks}. */
  function lookUp(choice) {
    const [a1, a2, b1, b2] = choice.tasks.map(games.classOf);
    const pairs = CONTEXTS.map(([i, j]) => [[a1, a2][i], [b1, b2][j]]);
    const [correlators, alice, bob] = ["correlator", "alice", "bob"].map((name) =>
      pairs.map(([f, g]) => tables.mean(name, choice, f, g)),
    );
    const s = sOf(correlators);
    const areSame = [a1 === a2, b1 === b2];
    const delta = deltaOf(alice, bob, areSame);
    const found = reported({
      correlators, alice, bob, s, delta,
      remainder: remainder(s, delta),
      bothWrong: correlators.map((e, k) => bothWrong(e, alice[k], bob[k])),
    }, choice);
    return bounded(found, choice, areSame);
  }

  /** S and Delta of all games up to negated tasks, the last task running fastest. */
  function atlas(choice) {
    const [e, a, b] = ["correlator", "alice", "bob"].map((name) => tables.allMeans(name, choice));
    const s = new Float64Array(GAMES);
    const delta = new Float64Array(GAMES);
    for (let game = 0; game < GAMES; game += 1) {
      const [p11, p12, p21, p22] = pairsOf(game);
      s[game] = e[p11] + e[p12] + e[p21] - e[p22];
      delta[game] =
        Math.abs(a[p11] - a[p12]) + Math.abs(a[p21] - a[p22]) +
        Math.abs(b[p11] - b[p21]) + Math.abs(b[p12] - b[p22]);
    }
    return { s, delta };
  }

  /** The games of a training that lie above S = 2 + Delta. */
  function gamesAbove(choice) {
    const { s, delta } = atlas(choice);
    return [...s.keys()].filter((game) => isAbove(s[game], delta[game]));
  }

  /** Whether more than rounding lifts a point above S = 2 + Delta. */
  const isAbove = (s, delta) => s > CLASSICAL_BOUND + delta + ROUNDING;

  function pairsOf(game) {
    const [a1, a2, b1, b2] = classesOf(game);
    return [8 * a1 + b1, 8 * a1 + b2, 8 * a2 + b1, 8 * a2 + b2];
  }

  const classesOf = (game) => [game >> 9, (game >> 6) & 7, (game >> 3) & 7, game & 7];

  /** Truth tables of a game of the atlas. */
  const tasksOf = (game) => classesOf(game).map(games.taskOfClass);

  /** Place in the atlas of a game, whichever of its tasks are negated. */
  const placeOf = (tasks) => tasks.reduce((place, task) => 8 * place + games.classOf(task), 0);

  return { CONTEXTS, GAMES, lookUp, sOf, atlas, isAbove, gamesAbove, tasksOf, placeOf };
})();
