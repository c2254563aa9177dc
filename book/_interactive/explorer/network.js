/* Trains one NCnet as ncnet.train does by default: full batch, cross-entropy of both heads added
   up, gradient descent. A network is {trunk: units x (inputs + bias), heads: 2 x (units + bias)}. */
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

  /** A network with these initial weights, biases at 0. */
  const withBiases = ({ trunk, heads }) => ({
    trunk: trunk.map((weights) => Float64Array.of(...weights, 0)),
    heads: heads.map((weights) => Float64Array.of(...weights, 0)),
  });

  const copy = ({ trunk, heads }) => ({
    trunk: trunk.map((weights) => weights.slice()),
    heads: heads.map((weights) => weights.slice()),
  });

  /** The dot product of weights with an input and the constant 1. */
  function affine(weights, input) {
    let total = weights[input.length];
    for (let k = 0; k < input.length; k += 1) total += weights[k] * input[k];
    return total;
  }

  function writeHidden(hidden, network, input, activation) {
    const { apply } = ACTIVATIONS[activation];
    for (let unit = 0; unit < hidden.length; unit += 1) {
      hidden[unit] = apply(affine(network.trunk[unit], input));
    }
  }

  /** A function that gives the logit of one head (0 Alice's, 1 Bob's) for inputs of +1 and -1. */
  function logitOf(network, activation, party) {
    const hidden = new Float64Array(network.trunk.length);
    return (input) => {
      writeHidden(hidden, network, input, activation);
      return affine(network.heads[party], hidden);
    };
  }

  /** The class that a logit reads as: a tie and what is not finite are class 0. */
  const classOf = (logit) => (logit > 0 && Number.isFinite(logit) ? 1 : 0);

  function addScaled(weights, input, factor) {
    for (let k = 0; k < input.length; k += 1) weights[k] += factor * input[k];
    weights[input.length] += factor;
  }

  /** Move `moved` by one input's share of the gradient at `network`; `hidden` is scratch space. */
  function descend(moved, network, input, classes, activation, rate, hidden) {
    const [alice, bob] = network.heads;
    const { derivative } = ACTIVATIONS[activation];
    writeHidden(hidden, network, input, activation);
    const aliceError = sigmoid(affine(alice, hidden)) - classes[0];
    const bobError = sigmoid(affine(bob, hidden)) - classes[1];
    for (let unit = 0; unit < hidden.length; unit += 1) {
      const sent = aliceError * alice[unit] + bobError * bob[unit];
      addScaled(moved.trunk[unit], input, -rate * sent * derivative(hidden[unit]));
    }
    addScaled(moved.heads[0], hidden, -rate * aliceError);
    addScaled(moved.heads[1], hidden, -rate * bobError);
  }

  /** The network after so many more steps on {inputs, classes, activation}. */
  function train(network, { inputs, classes, activation }, steps) {
    const rate = LEARNING_RATE / inputs.length;
    const hidden = new Float64Array(network.trunk.length);
    let trained = network;
    for (let step = 0; step < steps; step += 1) {
      const moved = copy(trained);
      for (let item = 0; item < inputs.length; item += 1) {
        descend(moved, trained, inputs[item], classes[item], activation, rate, hidden);
      }
      trained = moved;
    }
    return trained;
  }

  return { withBiases, train, logitOf, affine, classOf };
})();
