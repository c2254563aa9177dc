/* The bootstrap over replicas: ncnet.chsh.bootstrap in the Page, with random numbers of its own. */
"use strict";

YourTable.resampling = (() => {
  const MOST = 10_000; // resamples, as many as `ncnet report` draws
  const FEWEST = 2_000; // five of which lie beyond each end of a task's change, and more
  const AFFORDED = 8e7; // replicas to draw and kinds to add up: half a second or so

  /** Whole numbers below 2^32 from a seed: sfc32 of Chris Doty-Humphrey's PractRand. */
  function generator(seed) {
    let [a, b, c, counter] = [0, seed, 0, 1];
    const next = () => {
      const sum = (a + b + counter) | 0;
      counter = (counter + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + sum) | 0;
      return sum >>> 0;
    };
    for (let k = 0; k < 15; k += 1) next();
    return next;
  }

  /** Bootstrap means of the rows of replicas, drawn jointly: an array a row.

      `rows` has the values of each kind of replica side by side, `counts` how often it is there. */
  function means(rows, counts, width, seed = 0) {
    const kinds = counts.length;
    const kindOf = Int32Array.from(counts.flatMap((count, kind) => Array(count).fill(kind)));
    const replicas = kindOf.length;
    const resamples = Math.round(
      Math.min(MOST, Math.max(FEWEST, AFFORDED / (replicas + 2 * kinds))),
    );
    const draws = Array.from({ length: width }, () => new Float64Array(resamples));
    const next = generator(seed);
    const drawn = new Int32Array(kinds);
    const share = replicas / 2 ** 32;
    const sums = new Float64Array(width);
    for (let resample = 0; resample < resamples; resample += 1) {
      drawn.fill(0);
      for (let k = 0; k < replicas; k += 1) drawn[kindOf[Math.floor(next() * share)]] += 1;
      sums.fill(0);
      for (let kind = 0; kind < kinds; kind += 1) {
        const times = drawn[kind];
        if (!times) continue;
        for (let row = 0; row < width; row += 1) sums[row] += times * rows[kind * width + row];
      }
      for (let row = 0; row < width; row += 1) draws[row][resample] = sums[row] / replicas;
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
