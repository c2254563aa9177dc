/* What a Bell test of outcomes says, in numbers: ncnet.chsh.report in the Page. */
"use strict";

YourTable.statistics = (() => {
  const { betting, resampling } = YourTable;
  const { CLASSICAL_BOUND: BOUND, SIGNS } = Page;
  const LEVEL = 0.95;
  const ALPHA = 0.05; // 1 - LEVEL
  const HIGHEST = 4; // S by algebra, and -4 its lowest
  const TASKS = ["A1", "A2", "B1", "B2"];
  const PARTNERS = [["B1", "B2"], ["B1", "B2"], ["A1", "A2"], ["A1", "A2"]];
  /** The contexts with the other party's settings 1 and 2, of each task. */
  const BESIDE = [[0, 1], [2, 3], [0, 2], [1, 3]];
  const FACETS = new Map([
    ["+++-", [1, 1, 1, -1]], ["++-+", [1, 1, -1, 1]], ["+-++", [1, -1, 1, 1]],
    ["-+++", [-1, 1, 1, 1]], ["---+", [-1, -1, -1, 1]], ["--+-", [-1, -1, 1, -1]],
    ["-+--", [-1, 1, -1, -1]], ["+---", [1, -1, -1, -1]],
  ]);
  /** The 16 signs t that the four changes may take in Delta. */
  const TURNS = Array.from({ length: 16 }, (_, turn) =>
    [8, 4, 2, 1].map((k) => (turn & k ? -1 : 1)));
  const FEW_REPLICAS = 100; // below as many the sign test stands beside betting
  const FEWEST_OFF_MODE = 10; // below as many a bootstrap interval is far too short

  const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
  const dot = (one, other) => sum(one.map((number, k) => number * other[k]));

  /** A number to some digits, a tie to the even one, as numpy has it. */
  function rounded(value, digits) {
    const scaled = value * 10 ** digits;
    const near = Math.round(scaled);
    return (near - scaled === 0.5 && near % 2 ? near - 1 : near) / 10 ** digits;
  }

  const ofSums = (value) => rounded(value, 9);

  /** Means over the items of one split, of each replica: correlators, marginals, how often each
      task's outcome changes, and what S loses by diverged networks. */
  function ofReplicas({ answers, replicas, splits, diverged }, split) {
    const items = splits.flatMap((of, item) => (of === split ? [item] : []));
    const all = splits.length;
    return Array.from({ length: replicas }, (_, replica) => {
      const row = new Float64Array(16);
      for (const item of items) {
        const at = 4 * replica * all + item;
        const cells = [0, 1, 2, 3].map((context) => answers[at + context * all]);
        for (let context = 0; context < 4; context += 1) {
          const [a, b] = [cells[context] & 2 ? 1 : -1, cells[context] & 1 ? 1 : -1];
          row[context] += a * b;
          row[4 + context] += a;
          row[8 + context] += b;
        }
        BESIDE.forEach(([one, other], task) => {
          row[12 + task] += 2 * ((cells[one] ^ cells[other]) & (task < 2 ? 2 : 1) ? 1 : 0);
        });
      }
      const means = Array.from(row, (total) => total / items.length);
      const against = SIGNS.map((sign, context) =>
        diverged?.[context * replicas + replica] ? -sign : means[context]);
      return [...means, dot(SIGNS, against)];
    });
  }

  /** Rows of replicas, averaged over those of a cluster where there are clusters. */
  function byCluster(rows, cluster) {
    if (!cluster) return rows;
    const found = new Map();
    rows.forEach((row, replica) => {
      const name = cluster[replica];
      if (!found.has(name)) found.set(name, []);
      found.get(name).push(row);
    });
    return [...found.values()].map((members) =>
      members[0].map((_, k) => sum(members.map((row) => row[k])) / members.length));
  }

  const averaged = (rows) => rows[0].map((_, k) => sum(rows.map((row) => row[k])) / rows.length);

  /** By how much each task's marginal changes with the other party's setting, of a row of means. */
  const changesOf = (means) =>
    BESIDE.map(([one, other], task) => {
      const party = task < 2 ? 4 : 8;
      return means[party + one] - means[party + other];
    });

  /** The kinds of replicas, each as four correlators, four changes and the influence, and how often
      each is there. */
  function kindsOf(rows) {
    const found = new Map();
    for (const row of rows) {
      const influence = row[12] + row[13] + row[14] + row[15];
      const kind = [...row.slice(0, 4), ...changesOf(row), influence].map((x) => rounded(x, 12));
      const key = kind.join();
      const known = found.get(key);
      if (known) known.count += 1;
      else found.set(key, { kind, count: 1 });
    }
    const kinds = [...found.values()];
    return { kinds: kinds.map(({ kind }) => kind), counts: kinds.map((each) => each.count) };
  }

  /** The distinct values that a function has on kinds of replicas. */
  function sampleOf({ kinds, counts }, value) {
    const found = new Map();
    kinds.forEach((kind, k) => {
      const each = value(kind);
      found.set(each, (found.get(each) ?? 0) + counts[k]);
    });
    return { values: [...found.keys()], counts: [...found.values()] };
  }

  /** How many replicas differ from the most frequent value. */
  function offMode({ values, counts }) {
    const found = new Map();
    let most = 0;
    values.forEach((value, k) => {
      const key = ofSums(value);
      const there = (found.get(key) ?? 0) + counts[k];
      found.set(key, there);
      most = Math.max(most, there);
    });
    return betting.total({ counts }) - most;
  }

  /** The interval of a mean, and how it was made. */
  function intervalOf(sample, draws, bounds, level = LEVEL) {
    if (offMode(sample) < FEWEST_OFF_MODE) {
      return { ends: betting.interval(sample, bounds, level), method: "betting" };
    }
    const expanded = resampling.expandedLevel(level, betting.total(sample));
    return { ends: resampling.percentiles(draws, expanded), method: "percentile bootstrap" };
  }

  /** L_ft of a facet's signs and signs t of the changes, of a kind: see ncnet.chsh.excess. */
  const functional = (signs, turns) => (kind) =>
    signs[0] * kind[0] + signs[1] * kind[1] + signs[2] * kind[2] + signs[3] * kind[3] -
    turns[0] * kind[4] - turns[1] * kind[5] - turns[2] * kind[6] - turns[3] * kind[7] - BOUND;

  /** The lowest and the highest L_ft, of all 256 ways to answer. */
  function rangeOf(signs, turns) {
    const values = Array.from({ length: 256 }, (_, way) => {
      const answer = (bit) => (way & (1 << bit) ? -1 : 1);
      const means = [0, 1, 2, 3].map((context) => answer(context) * answer(4 + context));
      for (let bit = 0; bit < 8; bit += 1) means.push(answer(bit));
      return functional(signs, turns)([...means.slice(0, 4), ...changesOf(means)]);
    });
    return [Math.min(...values), Math.max(...values)];
  }

  /** The sixteen samples of L_ft of a facet, with their ranges. */
  const functionals = (found, signs) =>
    TURNS.map((turns) => ({
      sample: sampleOf(found, (kind) => ofSums(functional(signs, turns)(kind))),
      range: rangeOf(signs, turns),
      turns,
    }));

  /** The p-value of "not contextual through this facet". */
  function excessTest(parts) {
    if (Math.min(...parts.map(({ sample }) => betting.mean(sample))) <= 0) return 1;
    return Math.max(...parts.map(({ sample, range }) => betting.test(sample, 0, range[0])));
  }

  /** The p-value of "S - Delta - 2 is at least 0". */
  function withinTest(parts) {
    const tests = parts.map(({ sample, range }) =>
      betting.test(betting.negated(sample), 0, -range[1]));
    return Math.min(1, tests.length * Math.min(...tests));
  }

  /** The interval of S - Delta - 2, and how it was made. */
  function excessInterval(parts, draws) {
    const alpha = (1 - LEVEL) / 2;
    const most = HIGHEST - BOUND;
    if (Math.min(...parts.map(({ sample }) => offMode(sample))) < FEWEST_OFF_MODE) {
      const low = parts.map(({ sample, range }) => betting.lowerBound(sample, range[0], alpha));
      const high = parts.map(({ sample, range }) =>
        betting.upperBound(sample, range[1], alpha / parts.length));
      return { ends: [Math.min(...low), Math.min(most, ...high)], method: "betting" };
    }
    const replicas = betting.total(parts[0].sample);
    const means = parts.map(({ sample }) => betting.mean(sample));
    const errors = parts.map(({ sample: { values, counts } }, part) => {
      const squares = sum(values.map((value, k) => counts[k] * (value - means[part]) ** 2));
      return Math.sqrt(squares / (replicas - 1) / replicas);
    });
    const level = (1 + resampling.expandedLevel(LEVEL, replicas)) / 2;
    const worst = resampling.quantile(largestErrors(parts, draws, means, errors).sort(), level);
    const t = resampling.student(1 - alpha, replicas - 1);
    const low = Math.min(...means.map((mean, part) => mean - t * errors[part]));
    const high = Math.min(...means.map((mean, part) => mean + worst * errors[part]));
    return { ends: [low, Math.min(most, high)], method: "intersection bounds" };
  }

  /** Of each resample the largest of the sixteen studentised errors. */
  function largestErrors(parts, draws, means, errors) {
    const { length } = draws[0];
    const largest = new Float64Array(length).fill(-Infinity);
    parts.forEach(({ turns }, part) => {
      const value = functional(SIGNS, turns);
      for (let k = 0; k < length; k += 1) {
        const resampled = value(draws.map((row) => row[k]));
        largest[k] = Math.max(largest[k], (means[part] - resampled) / errors[part]);
      }
    });
    return largest;
  }

  /** Delta's interval: those of the four changes, added up as their errors may. */
  function deltaInterval(changeIntervals) {
    const nearest = changeIntervals.map(([low, high]) => Math.max(0, low, -high));
    const farthest = changeIntervals.map(([low, high]) => Math.max(Math.abs(low), Math.abs(high)));
    return [sum(nearest), sum(farthest)];
  }

  /** The p-value of "this marginal does not change with the other party's setting". */
  function noSignallingTest(sample) {
    const sides = [sample, betting.negated(sample)].map((side) => betting.test(side, 0, -2));
    return Math.min(1, 2 * Math.min(...sides));
  }

  /** P(Binomial(trials, 1/2) >= successes), for a few trials. */
  function signTest(successes, trials) {
    let [chance, tail] = [0.5 ** trials, 0];
    for (let k = 0; k <= trials; k += 1) {
      if (k >= successes) tail += chance;
      chance *= (trials - k) / (k + 1);
    }
    return Math.min(1, tail);
  }

  /** Intervals and tests of S. Betting has half of 1 - LEVEL on either side: its interval decides. */
  function ofS(found, draws) {
    const values = sampleOf(found, (kind) => ofSums(dot(SIGNS, kind.slice(0, 4))));
    const drawn = draws[0].map((_, k) => draws[0][k] + draws[1][k] + draws[2][k] - draws[3][k]);
    const bounds = [-HIGHEST, HIGHEST];
    const { ends, method } = intervalOf(values, drawn, bounds);
    const independent = betting.total(values);
    const above = sum(values.counts.filter((_, k) => values.values[k] > BOUND));
    return {
      interval: ends,
      intervalMethod: method,
      bettingInterval: betting.interval(values, bounds, LEVEL),
      pValue: betting.test(values, BOUND, -HIGHEST),
      pValueBelow: betting.test(betting.negated(values), -BOUND, -HIGHEST),
      smallestShown: betting.smallestShown(independent, BOUND, ...bounds, ALPHA / 2),
      replicasNeeded: betting.replicasNeeded(values, BOUND, -HIGHEST, ALPHA / 2),
      shareAbove: above / independent,
      signPValue: independent < FEW_REPLICAS ? signTest(above, independent) : null,
    };
  }

  function ofSignalling(found, draws) {
    const samples = TASKS.map((_, task) => sampleOf(found, (kind) => kind[4 + task]));
    const changeIntervals = samples.map((sample, task) =>
      intervalOf(sample, draws[4 + task], [-2, 2], 1 - (1 - LEVEL) / TASKS.length).ends);
    const influence = sampleOf(found, (kind) => kind[8]);
    return {
      changes: samples.map(betting.mean),
      changeIntervals,
      deltaInterval: deltaInterval(changeIntervals),
      noSignallingPValues: betting.holm(samples.map(noSignallingTest)),
      influence: betting.mean(influence),
      influenceInterval: intervalOf(influence, draws[8], [0, 8]).ends,
    };
  }

  function ofContextuality(found, draws) {
    const facets = [...FACETS.values()].map((signs) => functionals(found, signs));
    const { ends, method } = excessInterval(facets[0], draws);
    const tests = facets.map(excessTest);
    return {
      excessInterval: ends,
      excessMethod: method,
      excessPValue: tests[0],
      excessPValueBelow: withinTest(facets[0]),
      anyFacetPValue: Math.min(1, FACETS.size * Math.min(...tests)),
    };
  }

  /** The numbers of a report on one split, by the names that ncnet.chsh.Report has for them. */
  function ofSplit(outcomes, split) {
    const rows = byCluster(ofReplicas(outcomes, split), outcomes.cluster);
    const means = averaged(rows);
    const found = kindsOf(rows);
    const draws = resampling.means(found.kinds, found.counts);
    const [correlators, alice, bob] = [0, 4, 8].map((from) => means.slice(from, from + 4));
    const s = dot(SIGNS, correlators);
    const delta = sum(changesOf(means).map(Math.abs));
    const facets = [...FACETS].map(([name, signs]) => ({ name, value: dot(signs, correlators) }));
    return {
      s, delta, excess: s - delta - BOUND, correlators, alice, bob, split,
      largestFacet: facets.reduce((one, other) => (other.value > one.value ? other : one)),
      correlatorIntervals: correlators.map((_, context) =>
        intervalOf(sampleOf(found, (kind) => kind[context]), draws[context], [-1, 1]).ends),
      level: LEVEL,
      replicas: outcomes.replicas,
      items: outcomes.splits.filter((of) => of === split).length,
      clusters: outcomes.cluster && rows.length,
      diverged: outcomes.diverged?.filter(Boolean).length ?? 0,
      sDivergedAgainst: means[16],
      resamples: draws[0].length,
      ...ofS(found, draws),
      ...ofSignalling(found, draws),
      ...ofContextuality(found, draws),
    };
  }

  /** What follows from the numbers: verdict, signalling, explanation, what each task loses. */
  function judged(found) {
    const { bettingInterval: [low, high], excessInterval: left } = found;
    const contextual = left[0] > 0 && found.excessPValue <= ALPHA;
    const within = left[1] <= 0 && found.excessPValueBelow <= ALPHA;
    return {
      ...found,
      verdict: low > BOUND ? "above 2" : high < BOUND ? "below 2" : "not distinguishable from 2",
      signalling: TASKS.filter((_, task) => {
        const [least, most] = found.changeIntervals[task];
        return found.noSignallingPValues[task] <= ALPHA && !(least <= 0 && most >= 0);
      }),
      explanation: contextual ? "contextual" : within ? "within 2 + Delta" : "undecided",
      drops: dropsOf(found),
      independent: found.clusters ?? found.replicas,
      units: found.clusters === null ? "replicas" : "clusters",
    };
  }

  /** What each task loses beside the one of its partners with which it does worse, largest first. */
  function dropsOf({ alice, bob, changes, changeIntervals, noSignallingPValues }) {
    const rows = TASKS.map((task, k) => {
      const worse = changes[k] > 0 ? 1 : 0;
      const right = BESIDE[k].map((context) => 50 * (1 + (k < 2 ? alice : bob)[context]));
      const ends = changeIntervals[k].map((end) => 50 * end);
      return {
        task, worsePartner: PARTNERS[k][worse], otherPartner: PARTNERS[k][1 - worse],
        rightWithWorse: right[worse], rightWithOther: right[1 - worse],
        points: 50 * Math.abs(changes[k]),
        ends: worse ? ends : [-ends[1], -ends[0]],
        pValue: noSignallingPValues[k],
      };
    });
    return rows.sort((one, other) => other.points - one.points);
  }

  /** The report on the training items, with the one on held-out items where there are any. */
  function report(outcomes) {
    if (!outcomes.splits.includes("training")) {
      throw new YourTable.Refused(
        "no item has split `training`: `ncnet report --split held_out` reads the others",
      );
    }
    const heldOut = outcomes.splits.includes("held_out")
      ? judged(ofSplit(outcomes, "held_out")) : null;
    return { ...judged(ofSplit(outcomes, "training")), heldOut };
  }

  return { ALPHA, TASKS, report };
})();
