/* The one name that the scripts of the page "Play" share: each adds its part to it. */
"use strict";

const Explorer = {
  /** An element of the page by its name without the prefix that all of them have. */
  byId: (name) => document.getElementById(`explorer-${name}`),
};
