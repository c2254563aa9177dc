/* The bootstrap over replicas: ncnet.chsh.bootstrap in the Page, with random numbers of its own. */
"use strict";

YourTable.resampling = (() => {
  const MOST = 10_000; // resamples, as many as `ncnet report` draws
  const FEWEST = 2_000; // five of which lie beyond each end of a task's change, and more
  const AFFORDED = 6e7; // replicas to draw and kinds to add up: about half a second

  /** A function that fills an array with random places of `size`: sfc32 of Chris Doty-Humphrey's
      PractRand. At once, since a call for each number would take most of the time. */
  function drawer(seed, size) {
    const share = size / 2 ** 32;
    const state = Int32Array.of(0, seed, 0, 1);
    const fill = (drawn) => {
      let [a, b, c, counter] = state;
      for (let k = 0; k < drawn.length; k += 1) {
        const sum = (a + b + counter) | 0;
        counter = (counter + 1) | 0;
        a = b ^ (b >>> 9);
        b = (c + (c << 3)) | 0;
        c = (((c << 21) | (c >>> 11)) + sum) | 0;
        drawn[k] = (sum >>> 0) * share;
      }
      state.set([a, b, c, counter]);
    };
    fill(new Int32Array(15)); // until a seed of a few bits has reached all of them
    return fill;
  }

  /** How many resamples are drawn: fewer where there are many replicas. */
  const resamplesOf = (replicas, kinds) =>
    Math.round(Math.min(MOST, Math.max(FEWEST, AFFORDED / (replicas + 2 * kinds))));

  /** The sum of the kinds' rows, each as often as it was drawn. */
  function sumOfRows(rows, times, sums) {
    const width = sums.length;
    sums.fill(0);
    for (let kind = 0; kind < times.length; kind += 1) {
      const often = times[kind];
      if (!often) continue;
      for (let row = 0; row < width; row += 1) sums[row] += often * rows[kind * width + row];
    }
  }

  /** Bootstrap means of the rows of replicas, drawn jointly: an array a row.

      `kinds` has the values of each kind of replica, `counts` how often it is there. */
  function means(kinds, counts, seed = 0) {
    const kindOf = Int32Array.from(counts.flatMap((count, kind) => Array(count).fill(kind)));
    const rows = Float64Array.from(kinds.flat());
    const resamples = resamplesOf(kindOf.length, kinds.length);
    const draws = kinds[0].map(() => new Float64Array(resamples));
    const drawPlaces = drawer(seed, kindOf.length);
    const places = new Int32Array(kindOf.length);
    const times = new Int32Array(kinds.length);
    const sums = new Float64Array(draws.length);
    for (let resample = 0; resample < resamples; resample += 1) {
      drawPlaces(places);
      times.fill(0);
      for (let k = 0; k < places.length; k += 1) times[kindOf[places[k]]] += 1;
      sumOfRows(rows, times, sums);
      draws.forEach((row, k) => {
        row[resample] = sums[k] / places.length;
      });
    }
    return draws;
  }

  /** A quantile of sorted numbers, linear between two of them. */
  function quantile(sorted, share) {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }

  function percentiles(draws, level) {
    const sorted = draws.toSorted();
    return [quantile(sorted, (1 - level) / 2), quantile(sorted, (1 + level) / 2)];
  }

  /** P(-t < T < t) of Student's t, by its finite sums (Abramowitz and Stegun 26.7.3 and 26.7.4). */
  function studentWithin(t, freedom) {
    const angle = Math.atan(t / Math.sqrt(freedom));
    const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
    const odd = freedom % 2;
    let term = odd ? cosine : 1;
    let sum = freedom === 1 ? 0 : term;
    for (let k = 2 + odd; k < freedom; k += 2) {
      term *= ((k - 1) / k) * cosine ** 2;
      sum += term;
    }
    return odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
  }

  /** The t with Student's probability `share` below it, for a share above a half. */
  function student(share, freedom) {
    let [low, high] = [0, 1e3];
    for (let k = 0; k < 60; k += 1) {
      const middle = (low + high) / 2;
      if (studentWithin(middle, freedom) < 2 * share - 1) low = middle;
      else high = middle;
    }
    return high;
  }

  /** P(-x < X < x) of a normal distribution, by its series. */
  function normalWithin(x) {
    let [term, sum] = [x, x];
    for (let k = 3; term > 1e-18 * sum; k += 2) {
      term *= (x * x) / k;
      sum += term;
    }
    return Math.sqrt(2 / Math.PI) * Math.exp((-x * x) / 2) * sum;
  }

  /** The level to take percentiles at so that they are not too short at few replicas. */
  const expandedLevel = (level, replicas) =>
    normalWithin(student((1 + level) / 2, replicas - 1) * Math.sqrt(replicas / (replicas - 1)));

  return { means, quantile, percentiles, student, expandedLevel };
})();
