/* Tests and bounds for the mean of a bounded variable by betting: ncnet.chsh.betting in the Page.

   A sample is {values, counts}: distinct values, and how often each is there. */
"use strict";

YourTable.betting = (() => {
  const BETS = Array.from({ length: 100 }, (_, k) => (k + 1) / 100);
  const MOST_REPLICAS = 10_000_000;
  const FINEST = 1e-9; // how near a bound comes to where the bets have just won enough
  const SMALLEST = 2.2250738585072014e-308; // no evidence is endless

  const total = ({ counts }) => counts.reduce((sum, count) => sum + count, 0);

  const mean = ({ values, counts }) =>
    values.reduce((sum, value, k) => sum + counts[k] * value, 0) / total({ counts });

  const negated = ({ values, counts }) => ({ values: values.map((value) => -value), counts });

  /** The logarithm of what each of the bets has made of 1. */
  function won({ values, counts }, bound, lowest) {
    return BETS.map((bet) => {
      let sum = 0;
      for (let k = 0; k < values.length; k += 1) {
        const gain = Math.max((values[k] - bound) / (bound - lowest), -1);
        sum += counts[k] * Math.log1p(bet * gain);
      }
      return sum;
    });
  }

  function logOfSum(logarithms) {
    const largest = Math.max(...logarithms);
    if (!Number.isFinite(largest)) return largest;
    return largest + Math.log(logarithms.reduce((sum, each) => sum + Math.exp(each - largest), 0));
  }

  const mixed = (logarithms) => logOfSum([
    logarithms.at(-1), logOfSum(logarithms) - Math.log(BETS.length),
  ]) - Math.log(2);

  const logEvidence = (sample, bound, lowest) => mixed(won(sample, bound, lowest));

  /** The p-value of "the mean is at most `bound`", no value being below `lowest`. */
  function test(sample, bound, lowest) {
    if (mean(sample) <= bound) return 1;
    return Math.max(Math.exp(Math.min(0, -logEvidence(sample, bound, lowest))), SMALLEST);
  }

  /** Neighbours between which a function falls from above 0 to at most 0: regula falsi, Illinois. */
  function crossing(falling, low, high) {
    let [above, below, moved] = [falling(low), falling(high), 0];
    while (high - low > FINEST) {
      const secant = low + ((high - low) * above) / (above - below);
      const middle = Math.min(Math.max(secant, low + FINEST / 2), high - FINEST / 2);
      const value = falling(middle);
      if (value > 0) {
        [low, above] = [middle, value];
        if (moved === 1) below /= 2;
        moved = 1;
      } else {
        [high, below] = [middle, value];
        if (moved === -1) above /= 2;
        moved = -1;
      }
    }
    return [low, high];
  }

  /** A bound that the mean lies below with a probability of at most `alpha`. */
  function lowerBound(sample, lowest, alpha) {
    const average = mean(sample);
    const margin = FINEST * Math.max(1, Math.abs(lowest));
    const surplus = (bound) => logEvidence(sample, bound, lowest) + Math.log(alpha);
    if (average - lowest <= 2 * margin || surplus(lowest + margin) <= 0) return lowest;
    return crossing(surplus, lowest + margin, average)[0];
  }

  const upperBound = (sample, highest, alpha) => -lowerBound(negated(sample), -highest, alpha);

  /** The interval of a mean: both bounds, each at half of 1 - `level`. */
  function interval(sample, [lowest, highest], level) {
    const alpha = (1 - level) / 2;
    return [lowerBound(sample, lowest, alpha), upperBound(sample, highest, alpha)];
  }

  /** The smallest mean that so many replicas could show to be above `bound`; null for none. */
  function smallestShown(replicas, bound, lowest, highest, alpha) {
    const lacking = (value) =>
      -Math.log(alpha) - logEvidence({ values: [value], counts: [replicas] }, bound, lowest);
    return lacking(highest) > 0 ? null : crossing(lacking, bound, highest)[1];
  }

  /** How many replicas like these show that the mean is above `bound`; null for no such number. */
  function replicasNeeded(sample, bound, lowest, alpha) {
    const there = total(sample);
    const each = won(sample, bound, lowest).map((logarithm) => logarithm / there);
    const shown = (replicas) => mixed(each.map((one) => replicas * one)) >= -Math.log(alpha);
    if (!shown(MOST_REPLICAS)) return null;
    let [few, enough] = [0, MOST_REPLICAS];
    while (enough - few > 1) {
      const middle = Math.floor((few + enough) / 2);
      if (shown(middle)) enough = middle;
      else few = middle;
    }
    return enough;
  }

  /** P-values adjusted for their number by Holm's method, in the order given. */
  function holm(pValues) {
    const order = pValues.map((_, place) => place).sort((i, j) => pValues[i] - pValues[j]);
    const adjusted = [];
    let largest = 0;
    order.forEach((place, rank) => {
      largest = Math.max(largest, pValues[place] * (pValues.length - rank));
      adjusted[place] = Math.min(1, largest);
    });
    return adjusted;
  }

  return {
    total, mean, negated, test, lowerBound, upperBound, interval, smallestShown, replicasNeeded, holm,
  };
})();
