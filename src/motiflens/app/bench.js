// The page put together: what is in its lists, and what its controls do.
const tracks = new Tracks($("#tracks"));

function fill(select, pairs) {
  const { value } = select;
  select.replaceChildren(...pairs.map(([id, textContent]) => make("option", { value: id, textContent })));
  if (pairs.some(([id]) => String(id) === value)) select.value = value;
}

const records = [];
const exampleWords = ({ name, label, logit }) => label
  ? say("positive {name}, logit {logit}", { name, logit: short(logit) })
  : say("negative {name}, logit {logit}", { name, logit: short(logit) });

const ORIGINS = { confirmed: () => say("confirmed"), true: () => say("true"), "read from the model": () => say("read from the model") };

// The example that the original is; none where that was typed, so that any can be chosen then.
function fillExamples() {
  const { name, sequence } = current().original, list = $("#examples");
  fill(list, [...examples.map((one, at) => [at, exampleWords(one)]), ...records.map((one, at) => [`r${at}`, one.name.slice(0, 80)])]);
  list.selectedIndex = [...examples, ...records].findIndex(one => one.name === name && one.sequence.replaceAll("U", "T") === sequence);
}

// Ctrl-Z and Ctrl-Y go through the sequences wherever the hand is, but in the letters of a motif.
function undoByKey(event) {
  const letter = event.key.toUpperCase(), field = event.target.matches("input:not([type=checkbox], [type=range])");
  if (field || event.altKey || !(event.ctrlKey || event.metaKey) || (letter !== "Z" && letter !== "Y")) return;
  event.preventDefault();
  clearTimeout(typing);
  step(letter === "Y" || event.shiftKey ? 1 : -1);
  $("#letters").value = current().sequence;
}

function fillLists() {
  fillExamples();
  const methods = [...new Set(state.shown.flatMap(id => byId.get(id).methods))];
  fill($("#method"), [["", say("each model's own")], ...methods.map(method => [method, METHOD_WORDS[method]()])]);
  const seeds = [...new Set(state.shown.flatMap(id => byId.get(id).seeds))].sort((a, b) => a - b);
  fill($("#seed"), [...seeds.map(seed => [seed, say("seed {n}", { n: seed })]), ["mean", say("mean of all")]]);
  fill($("#motifs"), [...motifs.map(({ name, origin }, at) => [at, `${name} (${ORIGINS[origin]()})`]), ["own", say("own letters")]]);
  fill($("#inside-seed"), byId.get($("#inside-model").value)?.seeds.map(seed => [seed, seed]) ?? []);
}

function drawModels() {
  const boxes = models.map(({ id }) => {
    const box = make("input", { type: "checkbox", value: id, checked: state.shown.includes(id) });
    box.disabled = !box.checked && state.shown.length >= MOST;
    box.onchange = () => {
      const chosen = models.map(one => one.id).filter(one => one === id ? box.checked : state.shown.includes(one));
      if (chosen.length) state.shown = chosen;
      drawModels();
      fillLists();
      update();
      all("#models input").find(one => one.value === id).focus();
    };
    const at = state.shown.indexOf(id);
    return make("label", { translate: false }, box, ...(at >= 0 ? [make("span", { className: `swatch m${at}` })] : []), id);
  });
  $("#models").replaceChildren($("#models legend"), ...boxes);
}

// Several records can be chosen among the examples.
function take(found) {
  records.splice(0, records.length, ...found);
  load(found[0].sequence, found[0].name);
}

// What is typed is looked at when the hand rests.
let typing = 0;
function type() {
  clearTimeout(typing);
  typing = setTimeout(() => {
    const found = readRecords($("#letters").value), problem = problemOfAll(found);
    if (problem) { $("#status").textContent = problem; return; }
    $("#status").textContent = "";
    const [{ name, sequence }] = found;
    if (found.length > 1) take(found);
    else if (sequence.length === current().sequence.length) edit(sequence);
    else load(sequence, name);
  }, 250);
}

async function upload() {
  const [file] = $("#upload").files;
  if (!file) return;
  if (file.size > 5e6) { $("#status").textContent = say("The file is larger than 5 MB"); return; }
  const text = await file.text(), found = readRecords(text).slice(0, 1000);
  if (/^[^>A-Za-z\s\d]/.test(text)) $("#status").textContent = say("The file is no FASTA; unpack it, or save its sequences as plain text");
  else if (!found.length) $("#status").textContent = say("The file holds no sequence");
  else if (problemOfAll(found)) $("#status").textContent = problemOfAll(found);
  else take(found);
  $("#upload").value = ""; // the same file can be opened again
}

function connect() {
  $("#examples").onchange = event => {
    const { value } = event.target, one = value.startsWith("r") ? records[value.slice(1)] : examples[value];
    load(one.sequence, one.name);
  };
  $("#upload").onchange = upload;
  $("#method").onchange = event => { state.method = event.target.value; update(); };
  $("#seed").onchange = event => { state.seed = event.target.value; update(); };
  $("#letters").oninput = type;
  $("#letters").onblur = () => { if (!$("#status").textContent) $("#letters").value = current().sequence; };
  addEventListener("keydown", undoByKey);
  $("#undo").onclick = () => step(-1);
  $("#redo").onclick = () => step(1);
  $("#pin").onclick = () => { current().original = current(); update(); };
  $("#back").onclick = () => edit(current().original.sequence);
  $("#turn").onclick = () => load([...current().sequence].reverse().map(letter => COMPLEMENT[letter]).join(""), current().name);
  $("#nearer").onclick = () => zoom(2);
  $("#farther").onclick = () => zoom(0.5);
  $("#slide").oninput = event => { state.first = Number(event.target.value); tracks.draw(); };
  $("#save-tsv").onclick = saveTable;
  $("#save-json").onclick = saveAll;
  $("#save-svg").onclick = () => save(fileName() + ".svg", new Blob([pictureWithStyle(tracks.svg, pictureName())], { type: "image/svg+xml" }));
  $("#motifs").onchange = chooseMotif;
  $("#motif-letters").oninput = () => { $("#motifs").value = "own"; };
  $("#put").onclick = put;
  $("#sweep").onclick = sweep;
  $("#save-sweep").onclick = saveSweep;
  $("#inside-model").onchange = () => { state.unit = null; fillLists(); askInside(); };
  $("#inside-seed").onchange = $("#inside-strand").onchange = askInside;
}

function chooseMotif() {
  const motif = motifs[$("#motifs").value];
  $("#motif-letters").value = motif ? motif.letters : "";
}

// The example was computed before the page was sent.
function begin() {
  history.replaceState(null, "", location.pathname + location.hash); // without the token
  const { inside, views } = given;
  state.shown = views.map(view => view.model);
  const open = models.filter(model => model.stages);
  fill($("#inside-model"), open.map(({ id }) => [id, id]));
  $("#inside").hidden = !open.length;
  if (inside) $("#inside-model").value = inside.model;
  const entry = entryOf(examples[0].sequence, examples[0].name);
  push(entry);
  for (const view of views) entry.views.set(keyOf(view.model), view);
  const unfolded = inside?.unfolded;
  state.unit = unfolded ? { stage: unfolded.stage, row: unfolded.row, column: unfolded.column } : null;
  drawModels();
  fillLists();
  chooseMotif();
  $("#start").value = Math.max(1, Math.floor(entry.sequence.length / 2 - motifLetters().length / 2));
  if (inside) state.insideKey = JSON.stringify(wantedInside());
  connect();
}

function start() {
  begin();
  addSwitches();
  redraw.push(() => { fillLists(); draw(); drawSweep(); drawInside(); markScrolling(); });
  speak(preferred());
  addEventListener("resize", () => { drawSweep(); drawInside(); markScrolling(); });
}
start();
