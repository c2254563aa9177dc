/* A report in words and tables of text, sentence for sentence as `ncnet report` tells it:
   ncnet.chsh.views in the Page. */
"use strict";

YourTable.words = (() => {
  const { statistics, text: { number, interval, pValue, count, counted } } = YourTable;
  const { ALPHA, TASKS } = statistics;
  const { CLASSICAL_BOUND: BOUND } = Page;
  const CHANGES = "how often one head is right changes with the other head's task";
  const EXPLAINS = {
    "within 2 + Delta": "Such changes are enough to explain S above 2",
    contextual: "Such changes are not enough to explain S above 2",
    undecided: "Whether such changes are enough to explain S above 2 is open",
  };

  const percent = (share) => `${Number((100 * share).toPrecision(6))} %`;
  const intervalName = ({ level }) => `${percent(level)} interval`;
  const leavesOut = ([low, high]) => low > 0 || high < 0;

  /** Those sides on which interval and exact test differ, of {byInterval, p}. */
  const differing = (sides) => sides.filter(({ byInterval, p }) => byInterval !== p <= ALPHA);

  const changed = (report) => TASKS.map((_, task) => ({
    byInterval: leavesOut(report.changeIntervals[task]), p: report.noSignallingPValues[task],
  }));

  const signallingDiffers = (report) => differing(changed(report)).length > 0;

  /** Whether S has an interval by bootstrap beside the one by betting. */
  const hasBootstrap = ({ intervalMethod }) => intervalMethod !== "betting";

  /** On which side of 2 S is, by which interval, and why by that one where there are two. */
  function ofSInWords(report) {
    const found = `S is ${report.verdict}: ${number(report.s)}, ${intervalName(report)} ` +
      `${interval(report.bettingInterval)} by betting`;
    if (!hasBootstrap(report)) return [`${found}.`];
    return [
      `${found}, ${interval(report.interval)} by bootstrap.`,
      `Betting decides, as it is exact at any number of ${report.units}.`,
    ];
  }

  /** That something is open, and where interval and exact test differ on it, that they do. */
  function leftOpen(said, amount, sides) {
    const open = differing(sides);
    if (!open.length) return `${said} (${amount}).`;
    const p = pValue(Math.min(...open.map((each) => each.p)));
    const cautious = open.every(({ byInterval }) => byInterval) ? ", as the test is cautious" : "";
    return `${said}: interval and exact test differ${cautious} (${amount}, p = ${p}).`;
  }

  function signallingInWords(report) {
    const amount = `Delta = ${number(report.delta)} ${interval(report.deltaInterval)}`;
    if (report.signalling.length) return `${CHANGES.replace("h", "H")} (${amount}).`;
    if (!signallingDiffers(report)) return `It is not shown that ${CHANGES} (${amount}).`;
    return leftOpen(`Whether ${CHANGES} is open`, amount, changed(report));
  }

  function explanationInWords(report) {
    const [low, high] = report.excessInterval;
    const amount = `S - Delta - 2 = ${number(report.excess)} ${interval([low, high])}`;
    const said = EXPLAINS[report.explanation];
    if (report.explanation !== "undecided") return `${said} (${amount}).`;
    return leftOpen(said, amount, [
      { byInterval: low > 0, p: report.excessPValue },
      { byInterval: high <= 0, p: report.excessPValueBelow },
    ]);
  }

  /** What was found, in a few sentences. */
  function conclusion(report) {
    const sentences = [...ofSInWords(report), signallingInWords(report)];
    if (report.verdict === "above 2") sentences.push(explanationInWords(report));
    if (!report.signalling.length && report.influenceInterval[0] > 0) {
      sentences.push(
        `Single outcomes do change (influence = ${number(report.influence)} ` +
          `${interval(report.influenceInterval)}).`,
      );
    }
    return sentences;
  }

  function read({ replicas, clusters, items, split }) {
    const within = clusters === null ? "" : ` in ${counted(clusters, "clusters")}`;
    const of = counted(items, `${split.replace("_", "-")} items`);
    return `${counted(replicas, "replicas")}${within}, ${of}; readout: correct.`;
  }

  function inWords(byInterval, byTest) {
    if (byInterval !== byTest) return "open";
    return byInterval ? "shown" : "not shown";
  }

  /** Tables as {caption, head, rows}; the first cell of a row is its header. */
  function drops(report) {
    const rows = report.drops.map((row) => [
      `${row.task} beside ${row.worsePartner}`,
      number(row.rightWithWorse, 1),
      `${number(row.rightWithOther, 1)} beside ${row.otherPartner}`,
      number(row.points, 1),
      interval(row.ends, 1),
      pValue(row.pValue),
      inWords(leavesOut(row.ends), row.pValue <= ALPHA),
    ]);
    return {
      caption: "What each task loses beside its worse partner, in percentage points",
      head: ["task", "right %", "otherwise", "less by", intervalName(report), "p-value", "in words"],
      rows,
    };
  }

  const against = (value, bound, atMost, atLeast) =>
    value >= bound ? `<= ${bound}: ${pValue(atMost)}` : `>= ${bound}: ${pValue(atLeast)}`;

  function left({ explanation, verdict }) {
    if (explanation === "undecided" && verdict === "below 2") return "nothing to explain";
    return explanation === "contextual" ? "beyond 2 + Delta" : explanation;
  }

  function usual(report) {
    const open = signallingDiffers(report) ? "open" : "not shown";
    const signalling = report.signalling.length ? `in ${report.signalling.join(", ")}` : open;
    const bootstrap = ["S, bootstrap", "", interval(report.interval), "", "betting decides"];
    return {
      caption: "Statistics",
      head: ["", "value", intervalName(report), "p-value of", "in words"],
      rows: [
        ["S", number(report.s), interval(report.bettingInterval),
          against(report.s, BOUND, report.pValue, report.pValueBelow), report.verdict],
        ...(hasBootstrap(report) ? [bootstrap] : []),
        ["Delta", number(report.delta), interval(report.deltaInterval),
          `= 0: ${pValue(Math.min(...report.noSignallingPValues))}`, `signalling ${signalling}`],
        ["influence", number(report.influence), interval(report.influenceInterval),
          "", "at least Delta"],
        ["S - Delta - 2", number(report.excess), interval(report.excessInterval),
          against(report.excess, 0, report.excessPValue,
            report.excessPValueBelow),
          left(report)],
      ],
    };
  }

  function contexts(report) {
    const signed = (value) => number(value, 3, "+");
    return {
      caption: "Correlators and marginals, by context",
      head: ["context", "C(Ai,Bj)", intervalName(report), "<Ai>", "<Bj>"],
      rows: ["(1,1)", "(1,2)", "(2,1)", "(2,2)"].map((context, k) => [
        context, signed(report.correlators[k]), interval(report.correlatorIntervals[k], 3, "+"),
        signed(report.alice[k]), signed(report.bob[k]),
      ]),
    };
  }

  function power(report) {
    const least = report.smallestShown === null ? "" : ` below ${number(report.smallestShown)}`;
    const there = counted(report.independent, report.units);
    const able = `With ${there} no S${least} can be shown to be above 2.`;
    const needed = report.replicasNeeded;
    if (report.verdict === "above 2" || needed === null || needed <= report.independent) return able;
    return `${able} For the S found here it takes about ${count(needed)} in all.`;
  }

  /** What is to be said of some reports only. */
  function special(report) {
    const said = [];
    if (report.signPValue !== null) {
      said.push(
        `At so few ${report.units} a count can say more: S is above 2 in ` +
          `${number(100 * report.shareAbove, 0)} % of the ${count(report.independent)} (exact ` +
          `sign test of more than half: p = ${pValue(report.signPValue)}). That is about the ` +
          `median, not the mean, and these items; the number of ${report.units} has to be fixed ` +
          "beforehand.",
      );
    }
    if (report.excess < 0 && report.explanation === "undecided") {
      said.push(
        "The test of S - Delta - 2 >= 0 is cautious: its p-value is sixteen times the smallest of " +
          "sixteen, and may be large although the interval lies below 0.",
      );
    }
    if (report.anyFacetPValue <= ALPHA && report.explanation !== "contextual") {
      const { name, value } = report.largestFacet;
      said.push(
        `With its minus signs elsewhere the sum passes 2 + Delta: ${name} is ${number(value)} ` +
          `(p = ${pValue(report.anyFacetPValue)}, for all eight ways to place them).`,
      );
    }
    if (report.diverged) {
      said.push(
        `Diverged: ${count(report.diverged)} of ${count(4 * report.replicas)} networks; with ` +
          "their correlators set to what lowers S most, S is " +
          `${number(report.sDivergedAgainst)}.`,
      );
    }
    if (report.heldOut) {
      const { s, bettingInterval: ends } = report.heldOut;
      said.push(`Held-out items: S = ${number(s)} ${interval(ends)}.`);
    }
    return said;
  }

  function notes(report) {
    const { units } = report;
    return [
      "Heads that share a layer can influence each other, so S > 2 alone shows nothing " +
        `non-classical. Intervals and tests are over ${units}, the items being given. The ` +
        `intervals of the four tasks' changes hold together at ${percent(report.level)}, and their ` +
        `tests are adjusted for their number. No bootstrap interval knows of rare ${units} that ` +
        "are not among these.",
      "The tests bet, and so does the interval of S that decides, at " +
        `${percent(ALPHA / 2)} on either side: they hold whenever you look, so ${units} may be ` +
        "added and tested again. Bootstrap intervals may not be extended like that. " +
        power(report),
      ...special(report),
    ];
  }

  /** How the intervals were made. */
  const methods = (report) =>
    `Interval of S: ${[...new Set(["betting", report.intervalMethod])].join(" and ")}; of S - Delta - 2: ${report.excessMethod}; ` +
    `${count(report.resamples)} resamples.`;

  /** What the two intervals of S are called where they are drawn. */
  const intervals = (report) =>
    `${intervalName(report)} by betting${hasBootstrap(report) ? ", thick by bootstrap" : ""}`;

  return { conclusion, read, drops, usual, contexts, notes, methods, intervals };
})();
