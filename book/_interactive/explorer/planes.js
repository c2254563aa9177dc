/* What the example networks have learnt: the plane of a party's two inputs, with the line of each
   hidden unit and the region in which that party's head answers 1. */
"use strict";

Explorer.planes = (() => {
  const { byId, games, network, statistics } = Explorer;
  const { element } = Page;
  const REACH = 1.7; // the inputs are +1 and -1
  const PIXELS = 96; // of the region, along an edge
  const PARTIES = ["alice", "bob"];
  const WIDE_ENOUGH = 110; // for the names of head and inputs
  const HEADS = ["Alice's head", "Bob's head"];
  const views = [];

  function build() {
    statistics.CONTEXTS.forEach(([i, j]) => {
      const canvases = PARTIES.map(() => element("canvas", { role: "img" }));
      const score = element("span");
      const title = `(A${i + 1}, B${j + 1})`;
      const caption = element("figcaption", {}, element("b", {}, title), " ", score);
      const pair = element("div", { class: "explorer-pair" }, ...canvases);
      byId("planes").append(element("figure", {}, caption, pair));
      views.push({ canvases, score, title, tasks: [i, 2 + j] });
    });
  }

  /** Every combination of +1 and -1 of the inputs that a party does not read, with places. */
  function otherInputs(layout, party) {
    const { bits, reads } = games.LAYOUTS[layout];
    const free = [...Array(bits).keys()].filter((bit) => !reads[party].includes(bit));
    return Array.from({ length: 2 ** free.length }, (_, number) => {
      const input = new Float64Array(bits);
      free.forEach((bit, k) => (input[bit] = (number >> k) & 1 ? 1 : -1));
      return input;
    });
  }

  /** Share of the other inputs at which the head answers 1, for each pixel, from the top. */
  function region(choice, trained, party) {
    const [first, second] = games.LAYOUTS[choice.layout].reads[party];
    const others = otherInputs(choice.layout, party);
    const logit = network.logitOf(trained, choice.activation, party);
    const counts = new Uint8Array(PIXELS * PIXELS);
    const at = (pixel) => REACH * ((2 * pixel + 1) / PIXELS - 1);
    for (const input of others) {
      for (let pixel = 0; pixel < counts.length; pixel += 1) {
        input[first] = at(pixel % PIXELS);
        input[second] = -at(Math.floor(pixel / PIXELS));
        counts[pixel] += network.classOf(logit(input));
      }
    }
    return { counts, of: others.length };
  }

  /** The region in the party's colour, stronger where more of the other inputs agree. */
  function picture({ counts, of }, party) {
    const canvas = element("canvas", { width: PIXELS, height: PIXELS });
    const context = canvas.getContext("2d");
    context.fillStyle = Page.colour(PARTIES[party]);
    for (let start = 0, end = 0; start < counts.length; start = end) {
      const [x, y] = [start % PIXELS, Math.floor(start / PIXELS)];
      const edge = start - x + PIXELS;
      while (end < edge && counts[end] === counts[start]) end += 1;
      context.globalAlpha = (0.6 * counts[start]) / of;
      context.fillRect(x, y, end - start, 1);
    }
    return canvas;
  }

  /** The ends, in inputs, of the line a x + b y + c = 0 across the plane. */
  function lineEnds(a, b, c) {
    const steep = Math.abs(a) > Math.abs(b);
    return [-REACH, REACH].map((end) =>
      steep ? [-(b * end + c) / a, end] : [end, -(a * end + c) / b],
    );
  }

  function drawLines({ context, toScreen }, choice, trained, party) {
    const [first, second] = games.LAYOUTS[choice.layout].reads[party];
    const others = otherInputs(choice.layout, party);
    context.strokeStyle = Page.colour("ink");
    context.lineWidth = 1.25;
    context.globalAlpha = 0.25 + 0.6 / others.length;
    for (const weights of trained.trunks[party]) {
      for (const input of others) {
        const ends = lineEnds(weights[first], weights[second], network.affine(weights, input));
        context.beginPath();
        ends.forEach((end, k) => context[k ? "lineTo" : "moveTo"](...toScreen(end)));
        context.stroke();
      }
    }
    context.globalAlpha = 1;
  }

  /** The four inputs: filled where the target is 1, framed where some answer is wrong. */
  function drawCorners({ context, toScreen }, task, wrongRows) {
    [...task].forEach((target, row) => {
      const [x, y] = toScreen([row >> 1 ? 1 : -1, row & 1 ? 1 : -1]);
      context.beginPath();
      context.arc(x, y, 5.5, 0, 2 * Math.PI);
      context.fillStyle = Page.colour(target === "1" ? "ink" : "surface");
      context.strokeStyle = Page.colour("ink");
      context.lineWidth = 1.5;
      context.fill();
      context.stroke();
      if (wrongRows.has(row)) context.strokeRect(x - 10, y - 10, 20, 20);
    });
  }

  function axes({ context, width, height }, layout, party) {
    if (width < WIDE_ENOUGH) return;
    const [x, y] = games.inputNames(layout, party);
    context.fillStyle = Page.colour("ink");
    context.strokeStyle = Page.colour("surface");
    context.lineWidth = 4;
    context.lineJoin = "round";
    context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    // Lines and corners lie behind the letters.
    const write = (text, align, ...place) => {
      context.textAlign = align;
      context.strokeText(text, ...place);
      context.fillText(text, ...place);
    };
    write(`${x} \u2192`, "right", width - 5, height - 5);
    write(`\u2191 ${y}`, "left", 5, 14);
    write(HEADS[party], "left", 5, height - 5);
  }

  /** Rows of the task's table in which some answer is wrong, and how many answers are right. */
  function marks(choice, answers, task, party) {
    const rows = games.rows(choice.layout).map((row) => games.tableRow(row, choice.layout, party));
    const right = rows.map((row, item) => answers[item][party] === Number(task[row]));
    return {
      wrongRows: new Set(rows.filter((_, item) => !right[item])),
      right: right.filter(Boolean).length,
    };
  }

  function drawPlane(canvas, choice, { network: trained, answers }, task, party) {
    const sheet = Page.sharpContext(canvas);
    const { context, width, height } = sheet;
    if (width === 0) return 0;
    const along = (value, size) => ((value / REACH + 1) / 2) * size;
    sheet.toScreen = ([x, y]) => [along(x, width), along(-y, height)];
    context.drawImage(picture(region(choice, trained, party), party), 0, 0, width, height);
    drawLines(sheet, choice, trained, party);
    const { wrongRows, right } = marks(choice, answers, task, party);
    drawCorners(sheet, task, wrongRows);
    axes(sheet, choice.layout, party);
    return right;
  }

  /** Draw all planes of a choice from the networks that `Explorer.examples` found. */
  function show(choice, examples) {
    const inputs = 2 ** games.LAYOUTS[choice.layout].bits;
    views.forEach(({ canvases, score, title, tasks }, context) => {
      const right = canvases.map((canvas, party) => {
        const task = choice.tasks[tasks[party]];
        const count = drawPlane(canvas, choice, examples[context], task, party);
        const name = games.taskName(task, choice.layout, party);
        const text = `${HEADS[party]} on ${name}: right on ${count} of ${inputs} inputs`;
        canvas.setAttribute("aria-label", `Context ${title}. ${text}`);
        return count;
      });
      score.textContent = `Alice ${right[0]}, Bob ${right[1]} of ${inputs} right`;
    });
  }

  return { build, show };
})();
