/* Games of two Boolean tasks a party: their inputs, their tasks, and names for people. */
"use strict";

Explorer.games = (() => {
  /** Number of input bits, and which two of them Alice's and Bob's tasks read. */
  const LAYOUTS = {
    overlap: { bits: 3, reads: [[0, 1], [1, 2]] },
    separate: { bits: 4, reads: [[0, 1], [2, 3]] },
  };
  const PLACES = ["A1", "A2", "B1", "B2"];
  const BOOK = ["0001", "0110", "0001", "0110"];

  /** Games to begin with, by name. */
  const PRESETS = {
    "AND and XOR (this book)": BOOK,
    "XOR, four times": ["0110", "0110", "0110", "0110"],
    "AND and OR": ["0001", "0111", "0001", "0111"],
    "One input and XOR": ["0011", "0110", "0101", "0110"],
    "A constant and one input": ["0000", "0011", "0000", "0101"],
    "A constant and XOR": ["0000", "0110", "0000", "0110"],
    "Alice has easy tasks, Bob hard ones": ["0011", "0101", "0110", "1001"],
    "One input, four times": ["0101", "0101", "0011", "0011"],
    "A game next to the line": ["0101", "0010", "0011", "0001"],
  };

  const NAMES = [
    "always 0", "AND", "{x} and not {y}", "{x}", "{y} and not {x}", "{y}", "XOR", "OR",
    "NOR", "XNOR", "not {y}", "{x} or not {y}", "not {x}", "{y} or not {x}", "NAND", "always 1",
  ];

  /** Names of the two inputs that a party (0 Alice, 1 Bob) reads. */
  const inputNames = (layout, party) => LAYOUTS[layout].reads[party].map((bit) => `x${bit + 1}`);

  /** What a truth table such as "0110" computes, in words. */
  function taskName(task, layout, party) {
    const [x, y] = inputNames(layout, party);
    return NAMES[parseInt(task, 2)].replaceAll("{x}", x).replaceAll("{y}", y);
  }

  /** What a game is, in words. */
  function gameName(tasks, layout) {
    const [a1, a2, b1, b2] = tasks.map((task, place) => taskName(task, layout, place >> 1));
    return `Alice: ${a1}; ${a2}. Bob: ${b1}; ${b2}`;
  }

  /** Place of a task among the eight functions up to negation: its table if it begins with 0. */
  function classOf(task) {
    const value = parseInt(task, 2);
    return value < 8 ? value : 15 - value;
  }

  const taskOfClass = (place) => place.toString(2).padStart(4, "0");

  /** All inputs of a layout as rows of bits, in lexicographic order. */
  function rows(layout) {
    const { bits } = LAYOUTS[layout];
    const bit = (row, place) => (row >> (bits - 1 - place)) & 1;
    return Array.from({ length: 2 ** bits }, (_, row) =>
      Array.from({ length: bits }, (_, place) => bit(row, place)),
    );
  }

  /** Row of a party's truth table that an input belongs to. */
  function tableRow(input, layout, party) {
    const [first, second] = LAYOUTS[layout].reads[party];
    return 2 * input[first] + input[second];
  }

  const isTask = (text) => /^[01]{4}$/.test(text);

  return {
    LAYOUTS, PLACES, PRESETS, BOOK,
    inputNames, taskName, gameName, classOf, taskOfClass, rows, tableRow, isTask,
  };
})();
