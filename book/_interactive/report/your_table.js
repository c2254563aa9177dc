/* The one name that the scripts of the page "A table of your own" share: each adds its part. */
"use strict";

const YourTable = {
  /** An element of the page by its name without the prefix that all of them have. */
  byId: (name) => document.getElementById(`report-${name}`),

  /** Why a table is refused, as one line for its reader; the rows it names, and their lines. */
  Refused: class extends Error {
    constructor(message, rows = [], lines = []) {
      super(message);
      Object.assign(this, { rows, lines });
    }
  },
};
