/* The four example networks of a game, one a context, trained here from a recorded start. */
"use strict";

Explorer.examples = (() => {
  const { games, network, tables, statistics } = Explorer;
  const toSigns = (bits) => bits.map((bit) => 2 * bit - 1);
  let kept = { key: null, contexts: null };

  /** The contexts of a choice, each with the networks that have been trained so far. */
  function contextsOf({ trunk, layout, activation, n, tasks, replica }) {
    const key = [trunk, layout, activation, n, replica, ...tasks].join();
    if (kept.key !== key) {
      const start = network.withBiases(tables.start({ layout, n, replica }), trunk === "shared");
      const contexts = statistics.CONTEXTS.map(([i, j]) => ({
        batch: { activation, ...items(layout, [tasks[i], tasks[2 + j]]) },
        start,
        networks: [],
      }));
      kept = { key, contexts };
    }
    return kept.contexts;
  }

  /** Inputs as +1 and -1, and the classes that Alice's and Bob's tasks ask for. */
  function items(layout, pair) {
    const rows = games.rows(layout);
    const classes = rows.map((row) =>
      pair.map((task, party) => Number(task[games.tableRow(row, layout, party)])),
    );
    return { inputs: rows.map(toSigns), classes };
  }

  /** The network of a context at the step of this place: trained no further than it has to be. */
  function networkAt({ batch, start, networks }, place) {
    while (networks.length <= place) {
      const at = tables.steps[networks.length - 1] ?? 0;
      const steps = tables.steps[networks.length] - at;
      networks.push(network.train(networks.at(-1) ?? start, batch, steps));
    }
    return networks[place];
  }

  /** The four networks of the choice, each with what it answers: [input][party], 0 or 1. */
  function lookUp(choice) {
    const place = tables.steps.indexOf(choice.step);
    return contextsOf(choice).map((context) => {
      const trained = networkAt(context, place);
      const heads = [0, 1].map((party) => network.logitOf(trained, choice.activation, party));
      const answers = context.batch.inputs.map((input) =>
        heads.map((logit) => network.classOf(logit(input))),
      );
      return { network: trained, answers };
    });
  }

  /** Of these four networks: right answers by context and party, and S as of one replica. */
  function score(choice) {
    const contexts = contextsOf(choice);
    const correct = lookUp(choice).map(({ answers }, context) =>
      answers.map((given, item) =>
        given.map((answer, party) => answer === contexts[context].batch.classes[item][party]),
      ),
    );
    const correlators = correct.map((items) => {
      const agree = items.filter(([alice, bob]) => alice === bob).length;
      return { value: (2 * agree) / items.length - 1 };
    });
    return {
      s: statistics.sOf(correlators).value,
      right: correct.map((items) => [0, 1].map((party) => items.filter((i) => i[party]).length)),
      inputs: correct[0].length,
    };
  }

  return { lookUp, score };
})();
