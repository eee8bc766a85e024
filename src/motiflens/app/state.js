// What is on the bench: sequences in the order of their making, and what models say of each.
const given = JSON.parse($("#start-data").textContent);
const { models, motifs, examples, max_bases: MAX_BASES } = given.offer;
const byId = new Map(models.map(model => [model.id, model]));
const MOST = 4, KEPT = 300, PATIENCE = 20000;

const state = {
  entries: [], at: -1, shown: [], seed: 0, method: "",
  cursor: -1, first: 0, zoom: 1,
  inside: given.inside, unit: null,
};
const current = () => state.entries[state.at];

// An original is the entry itself until another is pinned.
function entryOf(sequence, name, original) {
  const entry = { sequence, name, views: new Map(), problems: new Map(), swept: [] };
  entry.original = original ?? entry;
  return entry;
}

function push(entry) {
  state.entries.splice(state.at + 1);
  state.entries.push(entry);
  if (state.entries.length > KEPT) state.entries.shift();
  state.at = state.entries.length - 1;
}

function load(sequence, name) {
  push(entryOf(sequence.replaceAll("U", "T"), name));
  state.cursor = -1;
  state.first = 0;
  update();
}

function edit(letters) {
  const sequence = letters.replaceAll("U", "T"), { sequence: before, name, original } = current();
  if (sequence === before) return;
  push(entryOf(sequence, name, sequence.length === original.sequence.length ? original : undefined));
  update();
}

function mutate(position, letter) {
  const { sequence } = current();
  edit(sequence.slice(0, position) + letter + sequence.slice(position + 1));
}

function step(by) {
  state.at = Math.min(state.entries.length - 1, Math.max(0, state.at + by));
  update();
}

const methodOf = id => byId.get(id).methods.includes(state.method) ? state.method : byId.get(id).methods[0];
const seedOf = id => byId.get(id).seeds.includes(Number(state.seed)) ? Number(state.seed) : byId.get(id).seeds[0];
const seedsOf = id => state.seed === "mean" ? { mean: true } : { seed: seedOf(id) };
const keyOf = id => JSON.stringify([id, seedsOf(id), methodOf(id)]);
const viewOf = (entry, id) => entry.views.get(keyOf(id));

// A letter that is none, or too many of them, is told without asking the server.
function problemOf(sequence) {
  const wrong = sequence.search(/[^ACGTUN]/);
  if (wrong >= 0) return say("{letter} at position {n} is not A, C, G, T or N", { letter: [...sequence.slice(wrong)][0], n: wrong + 1 });
  if (sequence.length > MAX_BASES) return say("The sequence is too long from position {n} on", { n: MAX_BASES + 1 });
  return sequence ? "" : say("Type or paste a sequence");
}

// Of several records the one that is wrong is named.
function problemOfAll(found) {
  const { name, sequence } = found.find(one => problemOf(one.sequence)) ?? found[0] ?? { sequence: "" };
  const problem = problemOf(sequence);
  return problem && found.length > 1 ? `${name.slice(0, 80)}: ${problem}` : problem;
}

// What a model cannot take is not asked of it.
function lengthProblem(id, { length }) {
  const { min_length: least, max_length: most } = byId.get(id);
  if (length >= least && length <= most) return null;
  return { text: () => say("it takes {n_least} to {n_most} bases, and there are {n}", { n_least: least, n_most: most, n: length }), passes: false };
}

// One line of words, of FASTA, or of one sequence over many lines.
function readRecords(text) {
  const records = [];
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line.startsWith(">")) records.push({ name: line.slice(1).trim() || "–", sequence: "" });
    else if (line.trim()) {
      if (!records.length) records.push({ name: say("own sequence"), sequence: "" });
      records.at(-1).sequence += line.replace(/[\s\d]+/g, "").toUpperCase();
    }
  }
  return records.filter(record => record.sequence);
}

// Refusals that pass say so; the rest is shown.
async function call(path, body) {
  let reply, content = {};
  try {
    reply = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw { text: () => say("The bench does not answer; is motiflens serve still running?"), passes: false, again: true };
  }
  try { content = await reply.json(); } catch { /* a refusal of the server below */ }
  if (reply.ok) return content;
  const text = () => (chinese && content.error_zh) || content.error || say("The bench refused: {status}", { status: reply.status });
  throw { text, passes: reply.status === 429 || reply.status === 503, again: reply.status === 401 || reply.status >= 500 };
}

// One request of a model at a time; what has changed meanwhile is asked for when it is back. A
// reply belongs to the sequence that it was asked for, so the last edit is what is shown.
const busy = new Set();

async function follow(id) {
  const key = keyOf(id), now = current();
  const wanted = [now, now.original].find(entry => !entry.views.has(key) && !entry.problems.has(key));
  if (busy.has(id) || !wanted || !state.shown.includes(id)) return;
  busy.add(id);
  try {
    const problem = lengthProblem(id, wanted.sequence);
    if (problem) throw problem;
    wanted.views.set(key, await call("/api/view", { model: id, sequence: wanted.sequence, ...seedsOf(id), method: methodOf(id) }));
  } catch (problem) {
    if (!problem.passes) wanted.problems.set(key, problem);
    else await new Promise(done => setTimeout(done, 300));
  }
  busy.delete(id);
  if (wanted === current() || wanted === current().original) draw();
  follow(id);
}

// What a server did not say that was away, or started anew, is asked for with the next step.
function update() {
  for (const { problems } of [current(), current().original])
    for (const [key, { again }] of problems) if (again) problems.delete(key);
  draw();
  drawSweep();
  state.shown.forEach(follow);
  askInside();
}
