/* The steps of the tour: what each asks for, and what it says once that is done.

   A step has a title; a scene, a question and its answers; what to do then and the control to do it
   with; `free`, what of the choice may change; `isDone`, whether it is done; and an outcome: which
   of the answers is right, and what happened. Numbers are those of the page at that moment.
   `hides` is what the curve over n keeps to itself until then; `look`, where to look. */
"use strict";

Explorer.tourSteps = (() => {
  const { statistics, examples, tables, games } = Explorer;
  const { number, interval, count, CLASSICAL_BOUND, TSIRELSON_BOUND } = Page;
  const RESTING = 6; // units, by which S of this book's game has come to rest
  const A_FEW = 100; // games
  const XOR = "XOR, four times";

  const sOf = (choice) => statistics.lookUp(choice).s.value;
  const shown = (choice) => number(sOf(choice));
  const deltaOf = (choice) => number(statistics.lookUp(choice).delta.value);
  const overSizes = (choice) => tables.sizes.map((n) => sOf({ ...choice, n }));
  const units = (n) => `${n} unit${n === 1 ? "" : "s"}`;

  const unit = {
    title: "A unit more",
    scene: (start) =>
      `Two heads, Alice\u2019s and Bob\u2019s, share a layer of ${units(start.n)}. Each has an easy task, AND, and a hard one, XOR. Trained, ${count(tables.replicas)} such networks have a mean S of ${shown(start)}. Without influence on each other, heads keep S at 2 or below.`,
    question: "Give the layer one unit more. What will S do?",
    answers: ["It falls", "It rises, but not past 2", "It passes 2"],
    action: "Now press + at the hidden units.",
    control: "more",
    free: ["n", "step"],
    hides: (n, start) => n > start.n,
    isDone: (choice, start) => choice.n === start.n + 1,
    outcome(choice, start) {
      const before = { ...choice, n: start.n };
      const [from, to] = [sOf(before), sOf(choice)];
      const isAbove = to > CLASSICAL_BOUND;
      return {
        right: isAbove ? 2 : Number(to > from),
        text: `S went from ${number(from)} to ${number(to)}. ${
          isAbove
            ? "It is above 2: how a head fares depends on the other\u2019s task. That is influence within a layer, and no sign of quantum physics."
            : "Training is not over yet: move its step to the end."
        }`,
      };
    },
  };

  const critical = {
    title: "The critical size",
    scene: (start) => `With ${units(start.n)} S is ${shown(start)}, above 2.`,
    question: "Go on adding units. What becomes of S?",
    answers: ["It rises on", "It stays where it is", "It comes back to 2"],
    action: `Press + until there are ${units(RESTING)}, and watch the curve.`,
    control: "more",
    free: ["n"],
    hides: (n, start, furthest) => n > furthest,
    isDone: (choice) => choice.n >= RESTING,
    outcome(choice) {
      const values = overSizes(choice);
      const peak = tables.sizes[values.indexOf(Math.max(...values))];
      return {
        right: 2,
        text: `S came back: ${shown({ ...choice, n: peak + 1 })} with ${units(peak + 1)}, ${shown(choice)} with ${choice.n}. The peak, at ${units(peak)}, is the critical size. AND takes one unit and XOR two: every context could find room except XOR beside XOR, and there the heads compete.`,
      };
    },
  };

  const neuron = {
    title: "One neuron",
    scene: (start) =>
      `Tasks as easy as can be: each head has a constant to learn and, as its other task, one input. With ${units(start.n)} S is ${shown(start)}. Quantum systems reach 2\u221a2, which is ${number(TSIRELSON_BOUND)}, and no more.`,
    question: "Leave the heads a single neuron. How far does S get?",
    answers: ["Not above 2", "Above 2, but within 2\u221a2", "Beyond 2\u221a2"],
    action: "Now press \u2212 at the hidden units.",
    control: "fewer",
    free: ["n"],
    hides: (n, start) => n < start.n,
    isDone: (choice) => choice.n === 1,
    outcome(choice) {
      const { s, delta } = statistics.lookUp(choice);
      const isBeyond = s.value > TSIRELSON_BOUND;
      return {
        right: isBeyond ? 2 : Number(s.value > CLASSICAL_BOUND),
        text: `S = ${number(s.value)}, ${isBeyond ? "beyond" : "within"} the quantum bound, in a network that could hardly be more classical. The neuron follows Alice\u2019s input or Bob\u2019s; where both are asked for, one head loses. Success rates change with the other head\u2019s task; counted as in \u0394, that is ${number(delta.value)}, and 2 + \u0394 is ${number(CLASSICAL_BOUND + delta.value)}.`,
      };
    },
  };

  const same = {
    title: "Same tasks, no signal",
    scene: (start) =>
      `The game of this book again: S = ${shown(start)}, and \u0394 = ${deltaOf(start)}. \u0394 adds up, over the four tasks, by how much a head\u2019s mean outcome (+1 right, \u22121 wrong) changes with the other head\u2019s task.`,
    question: "Let both tasks of both heads be XOR. They still share a layer. What becomes of \u0394?",
    answers: ["It grows", "It stays above 0", "It is 0"],
    action: `Choose the game \u201c${XOR}\u201d.`,
    control: "preset",
    free: ["tasks"],
    isDone: (choice) => choice.tasks.join() === games.PRESETS[XOR].join(),
    outcome(choice, start) {
      const { s, delta, correlators } = statistics.lookUp(choice);
      const before = statistics.lookUp(start).delta.value;
      return {
        right: delta.value === 0 ? 2 : Number(delta.value <= before),
        text: `\u0394 = ${number(delta.value)}: where nothing changes with a setting, nothing can be signalled. All four correlators are the same C = ${number(correlators[0].value)}, and S = C + C + C \u2212 C = ${number(s.value)}. C is at most 1, and so S at most 2, with any number of units.`,
      };
    },
  };

  const failures = {
    title: "Two failures agree",
    scene(start) {
      const { s, right, inputs } = examples.score(start);
      return `Four networks, one a context, after ${start.step} step of training. All heads are to learn the same input. So far they are right on ${right[0][0]} of ${inputs} inputs, as a coin would be; wrong answers are framed. Yet the S of these four is ${number(s)}. (S on the dial is the mean over ${count(tables.replicas)} such fours.)`;
    },
    question: "Train them until no answer is wrong. Where will their S be?",
    answers: ["Below 2", "At 2, as now", "Above 2"],
    action: "Play the training, or move its step.",
    control: "step",
    look: "networks",
    free: ["step"],
    isDone(choice) {
      const { right, inputs } = examples.score(choice);
      return right.flat().every((number) => number === inputs);
    },
    outcome(choice, start) {
      const { s } = examples.score(choice);
      return {
        right: s > CLASSICAL_BOUND ? 2 : Number(s === CLASSICAL_BOUND),
        text: `At ${number(s)}, as before. Where both heads were wrong they agreed, and two failures count as +1, just as two successes do. So S = 2 does not say that anything is learnt. (The mean over all ${count(tables.replicas)} fours, on the dial, was ${shown(start)} at first and now is ${shown(choice)}.)`,
      };
    },
  };

  const apart = {
    title: "A trunk for each head",
    scene: (start) =>
      `The heads share ${units(start.n)}, and S is ${shown(start)}. Now train the same networks apart: each head with a layer of its own, as large, from the same initial weights.`,
    question: "What will S do?",
    answers: ["It stays above 2", "It does not pass 2", "It rises"],
    action: "Switch on \u201cA trunk for each head\u201d.",
    control: "trunk",
    look: "curve",
    free: ["trunk"],
    isDone: (choice) => choice.trunk === "own",
    outcome(choice, start) {
      const [s, before] = [sOf(choice), sOf(start)];
      const highest = Math.max(...overSizes(choice));
      return {
        right: s <= CLASSICAL_BOUND ? 1 : s > before ? 2 : 0,
        text: `S = ${number(s)}, and \u0394 is 0, exactly. Neither head can know of the other\u2019s task, so that S is at most 2 in any four networks, one a context, that start alike: a theorem, whatever the game. Along the curve its highest mean is ${number(highest)}. All that was above 2 came through the shared layer.`,
      };
    },
  };

  /** How many games lie above the line, over all trainings with a shared trunk, and of how many. */
  function countEverywhere() {
    const trainings = tables.layouts.flatMap((layout) =>
      tables.activations.flatMap((activation) =>
        tables.sizes.flatMap((n) => tables.steps.map((step) => ({ layout, activation, n, step }))),
      ),
    );
    const above = trainings.flatMap((each) => statistics.gamesAbove({ trunk: "shared", ...each }));
    return { above: above.length, total: trainings.length * statistics.GAMES };
  }

  const line = {
    title: "Above the line",
    scene: () =>
      `Each point is a game of this training: its S over its \u0394. As far as the slanted line, 2 + \u0394, changed success rates can lift S; what is above it they do not explain.`,
    question: `How many of the ${count(statistics.GAMES)} games are above the line by more than chance?`,
    answers: ["None", "A few", "Hundreds"],
    action: "Press \u201cHighest S \u2212 \u0394 \u2212 2\u201d below the atlas, or open a point above the line.",
    control: "highest-remainder",
    look: "atlas-board",
    free: ["tasks"],
    isDone: isAbove,
    outcome(choice) {
      const here = statistics.gamesAbove(choice);
      const isClear = (game) =>
        statistics.lookUp({ ...choice, tasks: statistics.tasksOf(game) }).remainder.low > 0;
      const clear = here.filter(isClear).length;
      const { above, total } = countEverywhere();
      const { remainder } = statistics.lookUp(choice);
      const chance = remainder.low > 0 ? "clear of 0" : "which reaches below 0: chance is enough";
      return {
        right: clear === 0 ? 0 : clear < A_FEW ? 1 : 2,
        text: `Above the line: ${count(here.length)} of ${count(statistics.GAMES)}; by more than chance: ${clear === 0 ? "none" : count(clear)}. The open game is above by ${number(remainder.value, 4)}, with the interval ${interval(remainder)}, ${chance}. Of all ${count(total)} games and trainings with a shared trunk ${count(above)} ${above === 1 ? "is" : "are"} above, which is why this step begins here. What stands out among so many has to be trained anew, as in`,
        link: { href: "notebooks/rq6.html", text: "RQ6, does any violation survive?" },
      };
    },
  };

  function isAbove(choice) {
    const { s, delta } = statistics.lookUp(choice);
    return statistics.isAbove(s.value, delta.value);
  }

  return { unit, critical, neuron, same, failures, apart, line };
})();
