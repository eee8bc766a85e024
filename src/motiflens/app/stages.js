// Motifs put in, and a look inside one network.
async function put() {
  const wanted = current();
  const problem = motifProblem() || startProblem();
  if (problem) { told(problem); return; }
  try {
    const found = await call("/api/insert", { sequence: wanted.sequence, letters: motifLetters(), start: Number($("#start").value) - 1, form: $("#form").value, seed: state.shuffles });
    if (wanted !== current()) return;
    if ($("#form").value === "shuffle") state.shuffles++;
    state.cursor = found.start;
    edit(found.sequence);
    told("");
  } catch (problem) { told(problem.text()); }
}
state.shuffles = 1;
const motifLetters = () => $("#motif-letters").value.trim().toUpperCase();
const motifProblem = () => motifLetters() ? problemOf(motifLetters()) : say("Type the letters of a motif");
// Bases count from 1 on the page, and from 0 in requests.
function startProblem() {
  const last = current().sequence.length - motifLetters().length + 1, start = Number($("#start").value);
  if (last < 1) return say("The motif is longer than the sequence");
  return Number.isInteger(start) && start >= 1 && start <= last ? "" : say("The motif fits with its first base at {n} to {n_last}", { n: 1, n_last: last });
}
const told = text => { $("#swept-words").textContent = text; };

async function sweep() {
  const wanted = current(), letters = motifLetters(), form = $("#form").value, swept = [];
  if (form === "shuffle") { told(say("A sweep puts in the motif or its reverse complement; shuffles are its control.")); return; }
  if (motifProblem()) { told(motifProblem()); return; }
  told(say("Sweeping …"));
  try {
    for (const id of state.shown) swept.push({ sequence: wanted.sequence, ...await call("/api/sweep", { model: id, sequence: wanted.sequence, letters, form }) });
    wanted.swept = swept;
    drawSweep();
  } catch (problem) { if (wanted === current()) told(problem.text()); }
}

// A sweep belongs to its sequence: it goes when that is changed, and comes back with it.
let sweptOf = null;
function drawSweep() {
  const now = current(), { swept } = now;
  if (now !== sweptOf) told("");
  sweptOf = now;
  if (!swept.length) $("#swept").replaceChildren();
  const figure = $("#swept"), width = figure.clientWidth, height = 210, bottom = height - 30;
  $("#save-sweep").hidden = !swept.length;
  if (!swept.length || !width) return;
  if (!$("figcaption", figure)) figure.append(make("figcaption", { translate: false }));
  if (!$("svg", figure)) surface(figure, () => false).addEventListener("click", event => {
    const { left } = event.currentTarget.getBoundingClientRect(), { starts, sequence } = current().swept[0];
    const base = Math.round((event.clientX - left - AXIS) / (figure.clientWidth - AXIS - RIGHT) * sequence.length);
    $("#start").value = starts.reduce((near, one) => Math.abs(one - base) < Math.abs(near - base) ? one : near) + 1;
  });
  const svg = $("svg", figure), add = (...given) => svg.append(shape(...given));
  const every = swept.flatMap(one => [...one.logits, ...one.control_low, ...one.control_high, one.without]);
  const high = Math.max(...every), low = Math.min(...every), { sequence, letters } = swept[0];
  const x = base => AXIS + base / sequence.length * (width - AXIS - RIGHT), y = value => 10 + (high - value) / ((high - low) || 1) * (bottom - 10);
  size(svg, width, height, say("Logit with {letters} at each position; the lines of shuffles are dashed", { letters }));
  const named = swept.flatMap(({ model }, at) => [make("span", { className: `swatch m${at}` }), ` ${model} `]);
  $("figcaption", figure).replaceChildren(...named, say("logit with {letters} at each first base; dashed: its shuffles; dotted: without", { letters }));
  for (const value of [high, low]) add("text", { class: "muted end", x: AXIS - 6, y: y(value) + 4 }, short(value));
  const tick = [10, 20, 50, 100, 200, 500].find(one => x(one) - x(0) >= 40) ?? 1000;
  for (let base = tick; base < sequence.length; base += tick) {
    add("path", { class: "line", d: `M${x(base - 1)} ${bottom}V${bottom + 4}` });
    add("text", { class: "muted middle", x: x(base - 1), y: height - 10 }, base);
  }
  const line = (one, values) => values.map((value, at) => `${at ? "L" : "M"}${x(one.starts[at]).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  swept.forEach((one, at) => {
    add("path", { class: `f${at} band`, d: line(one, one.control_high) + line({ starts: [...one.starts].reverse() }, [...one.control_low].reverse()).replace("M", "L") + "Z" });
    add("path", { class: `m${at}`, fill: "none", "stroke-dasharray": "6 3", d: line(one, one.control) });
    add("path", { class: `m${at}`, fill: "none", "stroke-dasharray": "1 3", d: `M${AXIS} ${y(one.without)}H${width - RIGHT}` });
    add("path", { class: `m${at}`, fill: "none", "stroke-width": 2, d: line(one, one.logits) });
  });
  told(swept.map(one => {
    const at = one.logits.indexOf(Math.max(...one.logits));
    return say("{model}: {value} with {letters} at base {n}, {control} with its shuffles there, {without} without", { model: one.model, value: short(one.logits[at]), letters: one.letters, n: one.starts[at] + 1, control: short(one.control[at]), without: short(one.without) });
  }).join("; "));
}

function saveSweep() {
  const { swept } = current(), [first] = swept;
  const head = swept.flatMap(({ model }) => [model, `${model} shuffles`, `${model} shuffles least`, `${model} shuffles largest`]);
  const rows = first.starts.map((start, at) => [start + 1, ...swept.flatMap(one => [one.logits[at], one.control[at], one.control_low[at], one.control_high[at]])]);
  save(fileName() + "-sweep.tsv", asTable([["first base", ...head], ...rows]));
}

// Inside: what is asked for last is what is shown.
let asking = false;
const wantedInside = () => {
  const model = $("#inside-model").value, seed = $("#inside-seed").value;
  return { model, sequence: current().sequence, seed: seed === "" ? null : Number(seed), strand: $("#inside-strand").value, unit: state.unit };
};

async function askInside() {
  if (asking || !current() || !$("#inside-model").value) return;
  const body = wantedInside(), key = JSON.stringify(body);
  if (key === state.insideKey || lengthProblem(body.model, body.sequence)) return;
  asking = true;
  try {
    state.inside = await call("/api/inside", body);
    state.insideKey = key;
    drawInside();
  } catch (problem) {
    if (!problem.passes) {
      state.insideKey = key;
      $("#unfolded").replaceChildren(make("p", { textContent: problem.text() }));
    } else await new Promise(done => setTimeout(done, 300));
  }
  asking = false;
  askInside();
}

const STAGE_WORDS = {
  filters: () => say("Filter activations"),
  attention: () => say("Attention weights"),
  pooled: () => say("Largest values"),
  context: () => say("Context"),
  hidden: () => say("Hidden units"),
  logit: () => say("Logit"),
};

function drawInside() {
  const { inside } = state, place = $("#stages");
  if (!inside) return;
  const names = ["sequence", ...inside.stages.map(stage => stage.name)];
  if (names.join() !== place.dataset.names) {
    place.dataset.names = names.join();
    place.replaceChildren(...names.map((name, number) => {
      const figure = make("figure", { className: "stage", translate: false }, make("h3"));
      const svg = number ? surface(figure, event => walkStage(state.inside.stages[number - 1], event)) : shape("svg", { role: "img" });
      if (!number) figure.append(svg);
      svg.addEventListener("click", event => number && pointAtStage(state.inside.stages[number - 1], event, svg));
      return figure;
    }));
  }
  const [first, ...rest] = place.children;
  drawStrip(first, inside);
  rest.forEach((figure, number) => drawStage(figure, inside.stages[number], inside));
  drawUnfolded(inside);
}

const lane = width => ({ width, base: inside => (width - AXIS - RIGHT) / inside.sequence.length });

function drawStrip(figure, inside) {
  const width = figure.clientWidth, svg = $("svg", figure), { sequence, unfolded } = inside, unit = lane(width).base(inside);
  if (!width) return;
  $("h3", figure).replaceChildren(say("Sequence"), " ", make("small", { textContent: unfolded ? say("shaded: the {n} bases that the chosen number depends on; framed: where it comes from", { n: unfolded.sees[1] - unfolded.sees[0] }) : "" }));
  size(svg, width, 26, say("Sequence"));
  const x = base => AXIS + base * unit;
  if (unfolded) svg.append(shape("rect", { class: "mark", x: x(unfolded.sees[0]), y: 1, width: (unfolded.sees[1] - unfolded.sees[0]) * unit, height: 24 }));
  [...sequence].forEach((letter, base) => {
    if (unit >= 7) svg.append(shape("text", { class: `letter ${letter}`, x: x(base + 0.5), y: 17 }, letter));
    else svg.append(shape("rect", { class: letter, x: x(base), y: 4 + 4 * "ACGTN".indexOf(letter), width: Math.max(0.6, unit * 0.9), height: 4 }));
  });
  if (unfolded) svg.append(shape("rect", { class: "from", x: x(unfolded.source[0]), y: 1, width: (unfolded.source[1] - unfolded.source[0]) * unit, height: 24 }));
}

// Where the cell of a row and column lies: along the sequence, or in a row of numbers.
function cellsOf(stage, inside, width) {
  if (!stage.starts.length) {
    const each = Math.min(60, (width - AXIS - RIGHT) / stage.columns.length);
    return { x: column => AXIS + column * each, each, tall: 56 };
  }
  const unit = lane(width).base(inside), stride = stage.starts.length > 1 ? Math.abs(stage.starts[1] - stage.starts[0]) : inside.sequence.length;
  const each = stride * unit;
  return { x: column => AXIS + (stage.starts[column] + stage.width / 2) * unit - each / 2, each, tall: 14 };
}

const rowWords = (stage, row) => stage.kind === "filters" ? say("filter {n}", { n: row }) : say("head {n}", { n: row });

function drawStage(figure, stage, inside) {
  const width = figure.clientWidth, svg = $("svg", figure), { x, each, tall } = cellsOf(stage, inside, width);
  if (!width) return;
  const along = stage.starts.length > 0, height = along ? stage.rows.length * tall + 8 : tall + 22;
  const shown = along ? stage.rows.length : stage.columns.length;
  const layer = stage.kind === "attention" ? stage.name : "";
  $("h3", figure).replaceChildren(STAGE_WORDS[stage.kind](), " ", make("small", { textContent: [layer, stage.kind === "logit" ? logitWords(inside) : shown < stage.total ? say("the {n} largest of {n_total}", { n: shown, n_total: stage.total }) : "", along ? say("each sees {n} bases", { n: stage.width }) : ""].filter(Boolean).join("; ") }));
  size(svg, width, height, say("{stage}: arrow keys choose a number", { stage: STAGE_WORDS[stage.kind]() }));
  const add = (...given) => svg.append(shape(...given)), most = Math.max(1e-12, ...stage.values.flat().map(Math.abs));
  // Numbers below 0 hang from a line in the middle; where there are none, all stand on the floor.
  const zero = stage.values.flat().some(value => value < 0) ? tall / 2 : tall;
  stage.values.forEach((values, row) => {
    if (along) add("text", { class: "muted end", x: AXIS - 4, y: 14 + row * tall }, stage.kind === "filters" ? stage.rows[row] : rowWords(stage, stage.rows[row]).replace(/\D+/, "") || stage.rows[row]);
    values.forEach((value, column) => {
      if (along) {
        if (value > most / 100) add("rect", { class: "plus", "fill-opacity": value / most, x: x(column), y: 4 + row * tall, width: Math.max(each * 0.95, 0.6), height: tall - 2 });
      } else {
        const size = Math.max(1, Math.abs(value) / most * (value < 0 ? tall - zero : zero));
        add("rect", { class: value < 0 ? "minus" : "plus", x: x(column) + each * 0.1, y: 4 + (value < 0 ? zero : zero - size), width: each * 0.8, height: size });
        if (each >= 26) add("text", { class: "muted middle", x: x(column) + each / 2, y: tall + 16 }, stage.kind === "logit" ? short(value) : stage.columns[column]);
      }
    });
  });
  if (!along) add("path", { class: "line", d: `M${AXIS} ${4 + zero}H${x(stage.columns.length)}` });
  const chosen = inside.unfolded?.stage === stage.name ? inside.unfolded : null;
  const row = chosen ? (along ? stage.rows.indexOf(chosen.row) : 0) : -1, column = chosen ? stage.columns.indexOf(chosen.column) : -1;
  if (row >= 0 && column >= 0) add("rect", { class: "cursor", x: x(column), y: 3 + row * tall, width: Math.max(each, 4), height: tall });
}

function logitWords({ logit, other_strand, mean }) {
  if (mean === null) return short(logit);
  return say("{value} of this strand, {other} of the other one, mean {mean}", { value: short(logit), other: short(other_strand), mean: short(mean) });
}

function choose(stage, row, column) {
  state.unit = { stage: stage.name, row, column };
  askInside();
}

function pointAtStage(stage, event, svg) {
  const box = svg.getBoundingClientRect(), { x, each, tall } = cellsOf(stage, state.inside, box.width), at = event.clientX - box.left;
  const near = stage.columns.reduce((best, _, column) => Math.abs(x(column) + each / 2 - at) < Math.abs(x(best) + each / 2 - at) ? column : best, 0);
  const row = stage.starts.length ? Math.min(stage.rows.length - 1, Math.max(0, Math.floor((event.clientY - box.top - 4) / tall))) : 0;
  choose(stage, stage.rows[row], stage.columns[near]);
}

function walkStage(stage, event) {
  const moves = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }, move = moves[event.key];
  if (!move) return false;
  const own = state.unit?.stage === stage.name ? state.unit : null;
  const inside = (list, value, by) => list[Math.min(list.length - 1, Math.max(0, list.indexOf(value) + by))];
  if (!own) choose(stage, stage.rows[0], stage.columns[0]);
  else choose(stage, inside(stage.rows, own.row, move[0]), inside(stage.columns, own.column, stage.starts.length && state.inside.strand === "-" ? -move[1] : move[1]));
  return true;
}

const TERM_WORDS = {
  base: ({ letter, where: [base] }) => say("{letter} at base {n}", { letter, n: base + 1 }),
  unit: ({ where: [base] }) => say("unit from base {n} on", { n: base + 1 }),
  filter: ({ where: [filter] }) => say("filter {n}", { n: filter }),
  context: ({ where: [head, filter] }) => say("head {n_head}, filter {n}", { n_head: head, n: filter }),
  pooled: ({ where: [filter, base] }) => say("filter {n} from base {n_base} on", { n: filter, n_base: base + 1 }),
  hidden: ({ where: [number] }) => say("hidden unit {n}", { n: number }),
};

function unitWords({ stage, row, column }, { kind, starts, width }) {
  if (starts.length) return say("{row}, unit of bases {n} to {n_last}", { row: kind === "filters" ? say("filter {n}", { n: row }) : `${stage}, ${say("head {n}", { n: row })}`, n: Math.max(1, starts[column] + 1), n_last: Math.min(state.inside.sequence.length, starts[column] + width) });
  return kind === "logit" ? say("Logit") : say("{stage}, number {n}", { stage: STAGE_WORDS[kind](), n: column });
}

const SUM_WORDS = {
  filters: () => say("after the activation"),
  attention: () => say("weight among all units"),
  hidden: () => say("after the activation"),
  pooled: () => say("after the activation"),
};

function drawUnfolded({ unfolded, stages }) {
  const place = $("#unfolded");
  if (!unfolded) { place.replaceChildren(); return; }
  const stage = stages.find(one => one.name === unfolded.stage), row = (tag, ...cells) => make("tr", {}, ...cells.map((textContent, at) => make(at ? "td" : "th", { textContent, ...(at ? {} : { scope: "row" }) })));
  const head = make("tr", {}, ...[say("from"), say("value"), say("weight"), say("product")].map(textContent => make("th", { scope: "col", textContent })));
  const terms = unfolded.terms.map(term => row("tr", TERM_WORDS[term.kind](term), short(term.value), short(term.weight), signed(term.product)));
  const sums = [];
  if (unfolded.others) sums.push(row("tr", say("all others"), "", "", signed(unfolded.others)));
  if (unfolded.bias && terms.length) sums.push(row("tr", say("bias"), "", "", signed(unfolded.bias)));
  const foot = [row("tr", say("sum"), "", "", short(unfolded.total))];
  if (SUM_WORDS[stage.kind] && terms.length) foot.push(row("tr", SUM_WORDS[stage.kind](), "", "", short(unfolded.value)));
  const table = make("table", { className: "arithmetic" }, make("caption", { textContent: say("Arithmetic") }), make("thead", {}, head), make("tbody", {}, ...terms, ...sums), make("tfoot", {}, ...foot));
  const [first, end] = unfolded.sees, [from, to] = unfolded.source;
  const span = { n: end - first, n_first: first + 1, n_last: end };
  const sees = stage.kind === "attention" ? say("The unit sees {n} bases, {n_first} to {n_last}; its weight is a comparison with all units.", span) : say("It depends on {n} bases, {n_first} to {n_last}.", span);
  const source = from === first && to === end ? "" : " " + say("It comes from bases {n} to {n_last}.", { n: from + 1, n_last: to });
  place.replaceChildren(make("h3", { textContent: `${unitWords(unfolded, stage)}: ${short(unfolded.value)}` }), make("p", { textContent: sees + source }), ...(terms.length ? [make("div", { className: "scroll" }, table)] : []));
  markScrolling();
}
