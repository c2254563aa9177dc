/* From the cells of a table to outcomes by context, replica and item, or to the line that says what
   is wrong: ncnet.chsh.tables and ncnet.chsh.grid in the Page. */
"use strict";

YourTable.tables = (() => {
  const { Refused, reading, columns: meaning, text } = YourTable;
  const { count, shortened, quoted } = text;
  const SETTINGS = ["alice_setting", "bob_setting"];
  const NETWORK = ["capacity", ...SETTINGS, "replica"];
  const REQUIRED = ["replica", "item", "a", "b"];
  /** Columns that are read where they are there, and what each depends on, in Python's order. */
  const OPTIONAL = new Map([
    ["split", { over: ["item"], means: meaning.split, expected: "`training` or `held_out`" }],
    ["cluster", { over: ["replica"], means: meaning.name, expected: "a number or a name" }],
    ["replica_seed", { over: ["replica"], means: meaning.name, expected: "a number or a name" }],
    ["alice_target", { over: ["alice_setting", "item"] }],
    ["bob_target", { over: ["bob_setting", "item"] }],
    ["diverged", { over: NETWORK, means: meaning.flag, expected: "true or false" }],
    ["alice_loss", { over: NETWORK, means: meaning.number, expected: "a number" }],
    ["bob_loss", { over: NETWORK, means: meaning.number, expected: "a number" }],
  ]);
  const TARGETS = ["alice_target", "bob_target"];
  const COLUMNS = ["context", ...REQUIRED, ...SETTINGS, "capacity", ...OPTIONAL.keys()];
  const CONTEXTS = ["(1,1)", "(1,2)", "(2,1)", "(2,2)"];
  const FEWEST_COPIED = 10; // distinct replicas of which it can be said at all
  const MOST_NAMED = 10; // columns that one note names

  /** The columns that are read, by name, and those that are not. */
  function chosen({ rows, columns }) {
    const there = columns.map((column) => column.name);
    const given = COLUMNS.filter((name) => there.includes(name));
    const read = given.includes("context")
      ? given.filter((name) => !SETTINGS.includes(name)) : given;
    const settings = SETTINGS.every((name) => read.includes(name)) ? SETTINGS : ["context"];
    for (const name of [...settings, ...REQUIRED]) {
      if (!read.includes(name)) refuseMissing(name, there);
    }
    for (const name of read) {
      if (there.indexOf(name) !== there.lastIndexOf(name)) {
        throw new Refused(`the table has two columns \`${name}\`: expected one`);
      }
    }
    if (!rows) throw new Refused("the table has no rows: expected one for each context, replica and item");
    const cells = new Map(read.map((name) => [name, columns[there.indexOf(name)]]));
    return { cells, ignored: there.filter((name) => !read.includes(name)) };
  }

  function refuseMissing(name, there) {
    const found = shortened(`[${there.map(quoted).join(", ")}]`, 400);
    const hint = there.length === 1
      ? ", so perhaps not separated by commas"
      : "; `ncnet report --columns` reads it under another name";
    throw new Refused(`the table has no column \`${name}\`: found ${found}${hint}`);
  }

  /** What the distinct cells of each optional column mean, by its name. */
  function further(cells) {
    const found = new Map();
    const targets = TARGETS.filter((name) => cells.has(name));
    const { signs } = meaning.outcomes(targets.map((name) => cells.get(name)));
    targets.forEach((name, place) => found.set(name, signs[place]));
    for (const [name, { means, expected }] of OPTIONAL) {
      if (cells.has(name) && !TARGETS.includes(name)) {
        found.set(name, meaning.read(cells.get(name), means, expected));
      }
    }
    return found;
  }

  /** A dimension: its labels as messages have them, and of each row the place of its label. */
  const dimension = (labels, places) =>
    ({ size: labels.length, label: (place) => labels[place], places });

  const named = (column) => ({
    size: column.values.length,
    label: (place) => meaning.shown(column, place),
    places: column.places,
  });

  function capacities(column) {
    const labels = meaning.read(column, meaning.capacity, "a number");
    const known = new Map();
    const distinct = [];
    const places = labels.map((label) => {
      const same = label === "-0.0" ? "0.0" : label; // as numbers they are equal
      if (!known.has(same)) known.set(same, distinct.push(label) - 1);
      return known.get(same);
    });
    return dimension(distinct, column.places.map((place) => places[place]));
  }

  function settingsOf(cells) {
    const of = (column, settings) =>
      dimension(["1", "2"], column.places.map((place) => settings[place] - 1));
    if (!cells.has("context")) {
      const own = SETTINGS.map((name) => cells.get(name));
      const found = own.map((column) => meaning.read(column, meaning.setting, "1 or 2"));
      return own.map((column, party) => of(column, found[party]));
    }
    const column = cells.get("context");
    const pairs = meaning.read(column, meaning.context, "11, 12, 21 or 22");
    return [0, 1].map((party) => of(column, pairs.map((pair) => pair[party])));
  }

  /** The dimensions of a table, in their order, by name. */
  function gridOf(cells) {
    const grid = new Map();
    if (cells.has("capacity")) grid.set("capacity", capacities(cells.get("capacity")));
    const settings = settingsOf(cells);
    SETTINGS.forEach((name, party) => grid.set(name, settings[party]));
    for (const name of ["replica", "item"]) {
      const column = cells.get(name);
      meaning.read(column, meaning.name, "a number or a name");
      grid.set(name, named(column));
    }
    return grid;
  }

  /** Of each row its combination of some dimensions as one number, and how many there are. */
  function flat(grid, names, rows) {
    const numbers = new Float64Array(rows);
    let size = 1;
    for (const name of names) {
      const { size: labels, places } = grid.get(name);
      for (let row = 0; row < rows; row += 1) numbers[row] = numbers[row] * labels + places[row];
      size *= labels;
    }
    return { numbers, size };
  }

  /** What a row has in some dimensions. */
  function called(grid, names, row) {
    const label = (name) => grid.get(name).label(grid.get(name).places[row]);
    const both = SETTINGS.every((name) => names.includes(name));
    return names.filter((name) => !(both && name === SETTINGS[1])).map((name) => {
      if (both && name === SETTINGS[0]) return `context (${SETTINGS.map(label)})`;
      return `${name} ${label(name)}`;
    }).join(", ");
  }

  /** Refuse a combination that is in two rows, or in none. */
  function checkWhole(grid, rows, hint) {
    const names = [...grid.keys()];
    const { numbers, size } = flat(grid, names, rows);
    const first = new Map();
    let twice = rows;
    numbers.forEach((number, row) => {
      if (first.has(number)) twice = Math.min(twice, first.get(number));
      else first.set(number, row);
    });
    if (twice < rows) {
      const second = numbers.indexOf(numbers[twice], twice + 1);
      throw new Refused(
        `rows ${twice} and ${second} both have ${called(grid, names, twice)}: expected one` +
          hint(twice, second),
        [twice, second],
      );
    }
    if (rows < size) refuseGap(grid, numbers);
  }

  function refuseGap(grid, numbers) {
    const [alice, bob] = SETTINGS.map((name) => grid.get(name).places);
    const there = new Set(alice.map((place, row) => 2 * place + bob[row]));
    CONTEXTS.forEach((name, context) => {
      if (!there.has(context)) {
        throw new Refused(`context ${name} is empty: expected all four contexts`);
      }
    });
    numbers.sort();
    let missing = numbers.findIndex((number, place) => number !== place);
    if (missing < 0) missing = numbers.length;
    const at = {};
    for (const [name, { size }] of [...grid].reverse()) {
      at[name] = grid.get(name).label(missing % size);
      missing = Math.floor(missing / size);
    }
    const capacity = "capacity" in at ? ` at capacity ${at.capacity}` : "";
    const all = grid.get("replica").size * grid.get("item").size;
    throw new Refused(
      `context (${at.alice_setting},${at.bob_setting}) lacks replica ${at.replica} with ` +
        `item ${at.item}${capacity}: expected every replica with every item in each ` +
        `context, ${count(all)} rows a context`,
    );
  }

  /** A column's values over what it depends on; two rows may not differ in it alone. */
  function spread(grid, column, values, over) {
    const names = over.filter((name) => grid.has(name));
    const { numbers, size } = flat(grid, names, column.places.length);
    const first = new Int32Array(size).fill(-1);
    const of = (row) => values[column.places[row]];
    numbers.forEach((number, row) => {
      if (first[number] < 0) first[number] = row;
      if (Object.is(of(row), of(first[number])) || of(row) === of(first[number])) return;
      const both = [first[number], row].map((one) => meaning.shown(column, column.places[one]));
      throw new Refused(
        `rows ${first[number]} and ${row}: ${called(grid, names, row)} has ` +
          `\`${column.name}\` ${both.join(" and ")}: expected one`,
        [first[number], row],
      );
    });
    return Array.from(first, of);
  }

  /** What may be behind two rows of the same replica and item. */
  function hintOn(table, cells) {
    const traced = table.columns.some((column) => column.name === "step");
    return (first, second) => {
      if (traced) return " (traces, which are over `step`, are not read: leave them out)";
      const places = cells.get("split")?.places;
      return places && places[first] !== places[second]
        ? " (they differ in `split`: items of two splits need different names)" : "";
    };
  }

  function oneCapacity(grid) {
    if (!grid.has("capacity")) return null;
    const { size, label } = grid.get("capacity");
    const labels = Array.from({ length: size }, (_, place) => label(place));
    const order = new Map(labels.map((one) => [one, meaning.number(one)]));
    labels.sort((one, other) => order.get(one) - order.get(other));
    if (size === 1) return labels[0];
    throw new Refused(
      `the table has ${size} capacities, ${shortened(labels.join(", "), 200)}: this page reads ` +
        `one; \`ncnet report --capacity ${labels[0]}\` chooses it`,
    );
  }

  /** Both outcomes as one number, 2 where Alice's is +1 plus 1 where Bob's is, over
      [replica, context, item]. */
  function answersOf(grid, cells, [alice, bob]) {
    const [a, b] = [cells.get("a").places, cells.get("b").places];
    const [i, j] = SETTINGS.map((name) => grid.get(name).places);
    const [replica, item] = ["replica", "item"].map((name) => grid.get(name).places);
    const items = grid.get("item").size;
    const answers = new Uint8Array(a.length);
    for (let row = 0; row < a.length; row += 1) {
      const place = (4 * replica[row] + 2 * i[row] + j[row]) * items + item[row];
      answers[place] = 2 * (alice[a[row]] > 0) + (bob[b[row]] > 0);
    }
    return answers;
  }

  /** Notes on the columns that are not read. */
  function noteOfIgnored(ignored) {
    if (!ignored.length) return [];
    const said = ignored.slice(0, MOST_NAMED)
      .map((name) => (name ? `\`${shortened(name)}\`` : "one without a name"));
    if (ignored.length > MOST_NAMED) said.push(`${ignored.length - MOST_NAMED} more`);
    return [`columns that are not read: ${said.join(", ")}`];
  }

  /** How often kinds of replicas look copied, 1 if they do not, and how many kinds do not. */
  function copied(counts) {
    const spared = Math.floor(counts.length / 20);
    if (counts.length < FEWEST_COPIED) return [1, 0];
    for (let times = counts.toSorted((one, other) => one - other)[spared]; ; times -= 1) {
      const others = counts.filter((number) => number % times > 0).length;
      if (others <= spared) return [times, others];
    }
  }

  function noteOfCopies({ answers, replicas, cluster }) {
    if (cluster) return [];
    const length = answers.length / replicas;
    const letters = new TextDecoder("latin1");
    const kinds = new Map();
    for (let replica = 0; replica < replicas; replica += 1) {
      const kind = letters.decode(answers.subarray(replica * length, (replica + 1) * length));
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    const [times, others] = copied([...kinds.values()]);
    if (times === 1) return [];
    const each = others ? `all but ${others} of them` : "each";
    return [
      `${count(replicas)} replicas are ${count(kinds.size)} different ones, ${each} there a ` +
        `multiple of ${count(times)} times: if they are copies, intervals are too narrow (a ` +
        "column `cluster` says which belong together)",
    ];
  }

  /** The outcomes of a table, with what a reader should know of them; see `answersOf`. */
  function ofTable(table, name) {
    const { cells, ignored } = chosen(table);
    const { signs, coding } = meaning.outcomes([cells.get("a"), cells.get("b")]);
    const values = further(cells);
    const grid = gridOf(cells);
    checkWhole(grid, table.rows, hintOn(table, cells));
    const over = (column) =>
      spread(grid, cells.get(column), values.get(column), OPTIONAL.get(column).over);
    const found = Object.fromEntries([...values.keys()].map((column) => [column, over(column)]));
    const capacity = oneCapacity(grid);
    const read = {
      name, coding, capacity, rows: table.rows,
      replicas: grid.get("replica").size,
      splits: found.split ?? Array(grid.get("item").size).fill("training"),
      cluster: found.cluster ?? null,
      diverged: found.diverged ?? null,
      answers: answersOf(grid, cells, signs),
    };
    return { ...read, notes: [...noteOfIgnored(ignored), ...noteOfCopies(read)] };
  }

  /** The outcomes that bytes hold; who is refused some learns the lines, too. */
  function outcomes(bytes, name) {
    const table = reading.read(bytes, name);
    try {
      return ofTable(table, name);
    } catch (error) {
      error.lines = error.rows?.map((row) => table.lines[row]);
      throw error;
    }
  }

  return { outcomes };
})();
