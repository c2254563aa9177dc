/* Trains one NCnet as ncnet.train does by default: full batch, cross-entropy of both heads added
   up, gradient descent. A network is {trunks, heads}: of each party (0 Alice, 1 Bob), the trunk
   that its head reads, units x (inputs + bias), and the head, units + bias. Where the trunk is
   shared, both trunks are the same one. */
"use strict";

Explorer.network = (() => {
  const LEARNING_RATE = 0.5;

  /** Activations, and their derivatives in terms of their own output. */
  const ACTIVATIONS = {
    tanh: { apply: Math.tanh, derivative: (output) => 1 - output * output },
    sigmoid: { apply: sigmoid, derivative: (output) => output * (1 - output) },
    relu: { apply: (x) => Math.max(x, 0), derivative: (output) => (output > 0 ? 1 : 0) },
  };

  function sigmoid(x) {
    return 1 / (1 + Math.exp(-x));
  }

  const copyUnits = (trunk) => trunk.map((weights) => weights.slice());

  /** What `make` makes of the trunks, once where they are one. */
  function ofTrunks([alice, bob], make) {
    const made = make(alice);
    return [made, alice === bob ? made : make(bob)];
  }

  /** A network with these initial weights, biases at 0; with trunks apart, both start alike. */
  function withBiases({ trunk, heads }, isShared) {
    const withBias = (weights) => Float64Array.of(...weights, 0);
    const first = trunk.map(withBias);
    return { trunks: [first, isShared ? first : copyUnits(first)], heads: heads.map(withBias) };
  }

  const copy = ({ trunks, heads }) => ({
    trunks: ofTrunks(trunks, copyUnits),
    heads: copyUnits(heads),
  });

  /** The dot product of weights with an input and the constant 1. */
  function affine(weights, input) {
    let total = weights[input.length];
    for (let k = 0; k < input.length; k += 1) total += weights[k] * input[k];
    return total;
  }

  function writeHidden(hidden, trunk, input, activation) {
    const { apply } = ACTIVATIONS[activation];
    for (let unit = 0; unit < hidden.length; unit += 1) {
      hidden[unit] = apply(affine(trunk[unit], input));
    }
  }

  /** A function that gives the logit of a party's head for inputs of +1 and -1. */
  function logitOf(network, activation, party) {
    const trunk = network.trunks[party];
    const hidden = new Float64Array(trunk.length);
    return (input) => {
      writeHidden(hidden, trunk, input, activation);
      return affine(network.heads[party], hidden);
    };
  }

  /** The class that a logit reads as: a tie and what is not finite are class 0. */
  const classOf = (logit) => (logit > 0 && Number.isFinite(logit) ? 1 : 0);

  function addScaled(weights, input, factor) {
    for (let k = 0; k < input.length; k += 1) weights[k] += factor * input[k];
    weights[input.length] += factor;
  }

  /** Move `moved` by one input's share of a party's gradient; `hidden` is scratch space. */
  function descend(moved, { trunks, heads }, party, input, target, activation, rate, hidden) {
    const head = heads[party];
    const { derivative } = ACTIVATIONS[activation];
    writeHidden(hidden, trunks[party], input, activation);
    const move = -rate * (sigmoid(affine(head, hidden)) - target);
    for (let unit = 0; unit < hidden.length; unit += 1) {
      addScaled(moved.trunks[party][unit], input, move * head[unit] * derivative(hidden[unit]));
    }
    addScaled(moved.heads[party], hidden, move);
  }

  /** The network after so many more steps on {inputs, classes, activation}. */
  function train(network, { inputs, classes, activation }, steps) {
    const rate = LEARNING_RATE / inputs.length;
    const hidden = new Float64Array(network.trunks[0].length);
    let trained = network;
    for (let step = 0; step < steps; step += 1) {
      const moved = copy(trained);
      for (let item = 0; item < inputs.length; item += 1) {
        for (let party = 0; party < 2; party += 1) {
          const target = classes[item][party];
          descend(moved, trained, party, inputs[item], target, activation, rate, hidden);
        }
      }
      trained = moved;
    }
    return trained;
  }

  return { withBiases, train, logitOf, affine, classOf };
})();
