// The tracks: one ruler, every substitution, and of each model its contributions and attention.
const NS = "http://www.w3.org/2000/svg", AXIS = 54, RIGHT = 8, BASES = "ACGT";
const METHOD_WORDS = {
  ism: () => say("mutagenesis"),
  deeplift_shap: () => say("DeepLIFT/SHAP"),
  integrated_gradients: () => say("integrated gradients"),
  input_x_gradient: () => say("input × gradient"),
  saliency: () => say("saliency"),
};

function shape(tag, attributes, text) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// A picture that takes keys; it stays the same element, so that it keeps the focus.
function surface(figure, onkey) {
  const svg = shape("svg", { tabindex: 0, role: "application", translate: "no" });
  svg.addEventListener("keydown", event => { if (onkey(event)) event.preventDefault(); });
  figure.append(svg);
  return svg;
}

function size(svg, width, height, words) {
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-label", words);
  svg.replaceChildren(shape("rect", { class: "panel", width, height }));
}

const signed = value => (value > 0 ? "+" : "") + short(value);

class Tracks {
  constructor(figure) {
    this.figure = figure;
    this.svg = surface(figure, event => this.key(event));
    this.svg.addEventListener("click", event => this.point(event));
    this.last = new Map();
    new ResizeObserver(() => this.draw()).observe(figure);
  }

  // What is shown of a model: its view of the sequence, or until that is there the one before.
  shown(id) {
    const view = viewOf(current(), id);
    if (view) { this.last.set(id, view); return { view, stale: false }; }
    const before = this.last.get(id);
    return before && before.sequence.length === current().sequence.length ? { view: before, stale: true } : null;
  }

  visible(width) {
    const { length } = current().sequence, fitting = Math.floor((width - AXIS - RIGHT) / 5);
    return Math.max(Math.min(10, length), Math.ceil(Math.min(length, fitting) / state.zoom));
  }

  draw() {
    const width = this.figure.clientWidth;
    if (!width || !current()) return;
    const { sequence, original } = current(), n = this.visible(width);
    state.first = Math.max(0, Math.min(state.first, sequence.length - n));
    const last = state.first + n, unit = this.unit = (width - AXIS - RIGHT) / n;
    this.x = base => AXIS + (base - state.first) * unit;
    const found = state.shown.map(id => ({ id, at: state.shown.indexOf(id), ...this.shown(id) })).filter(one => one.view);
    const height = 100 + found.reduce((sum, { view }) => sum + 126 + (view.attention ? 54 : 0), 0);
    size(this.svg, width, height, say("Sequence of {n} bases, {first} to {last} shown; arrow keys move, A C G T N substitute, plus and minus zoom", { n: sequence.length, first: state.first + 1, last }));
    this.window = { first: state.first, last };
    this.changes(sequence, original.sequence, height);
    this.ruler(sequence);
    this.grid(sequence, found.find(one => one.view.effects));
    this.high = Math.max(1e-9, ...found.flatMap(one => this.values(one)));
    this.low = Math.min(0, ...found.flatMap(one => this.values(one)));
    let top = 100;
    for (const one of found) top = this.model(one, top);
    this.cursor(height);
    const slide = $("#slide");
    slide.max = sequence.length - n;
    slide.value = state.first;
    slide.hidden = n >= sequence.length;
  }

  // All models and the original share one scale.
  values({ id, view }) {
    const original = viewOf(current().original, id);
    return [...view.contributions, ...(original && original.sequence.length === view.sequence.length ? original.contributions : [])];
  }

  put(tag, attributes, text) { this.svg.append(shape(tag, attributes, text)); }

  changes(sequence, original, height) {
    for (let base = this.window.first; base < this.window.last; base++)
      if (sequence[base] !== original[base]) this.put("rect", { class: "mark", x: this.x(base), y: 18, width: this.unit, height: height - 22 });
  }

  ruler(sequence) {
    const { first, last } = this.window, every = [1, 5, 10, 20, 50, 100, 200, 500].find(one => one * this.unit >= 36) ?? 1000;
    for (let base = first; base < last; base++) {
      if ((base + 1) % every === 0) {
        this.put("text", { class: "muted middle", x: this.x(base + 0.5), y: 12 }, base + 1);
        this.put("path", { class: "line", d: `M${this.x(base + 0.5)} 15V19` });
      }
      const letter = sequence[base];
      if (this.unit >= 7) this.put("text", { class: `letter ${letter}`, x: this.x(base + 0.5), y: 32 }, letter);
      else this.put("rect", { class: letter, x: this.x(base), y: 21 + 3 * "ACGTN".indexOf(letter), width: Math.max(this.unit * 0.9, 0.6), height: 3 });
    }
  }

  // Every substitution: how much it would change the logit of the first model that says so.
  grid(sequence, of) {
    const { first, last } = this.window, effects = of?.view.effects;
    const most = effects ? Math.max(1e-9, ...effects.flat().map(Math.abs)) : 1;
    [...BASES].forEach((letter, row) => {
      const y = 38 + 13 * row;
      this.put("text", { class: "muted end", x: AXIS - 6, y: y + 11 }, letter);
      for (let base = first; base < last; base++) {
        const own = sequence[base] === letter, effect = effects ? effects[row][base] : 0;
        this.put("rect", {
          class: own ? "ink" : effect > 0 ? "plus" : effect < 0 ? "minus" : "line",
          "fill-opacity": own ? 0.55 : effects ? Math.abs(effect) / most : 0.1,
          x: this.x(base) + this.unit * 0.05, y, width: this.unit * 0.9, height: 12,
        });
      }
    });
  }

  model({ id, view, stale, at }, top) {
    const group = shape("g", stale ? { class: "stale" } : {}), svg = this.svg;
    svg.append(group);
    this.svg = group;
    const method = METHOD_WORDS[view.method](), narrow = this.figure.clientWidth < 480;
    const words = narrow ? `${id}: ${method}` : say("{model}: contributions by {method}", { model: id, method });
    this.put("rect", { class: `f${at}`, x: AXIS, y: top + 5, width: 14, height: 4 });
    this.put("text", { class: "ink bold", x: AXIS + 20, y: top + 12 }, words);
    this.contributions(view, viewOf(current().original, id), top + 20);
    top += 122;
    if (view.attention) top = this.attention(view.attention, top);
    this.svg = svg;
    return top + 4;
  }

  contributions(view, original, top) {
    const { first, last } = this.window, tall = 94, scale = tall / (this.high - this.low), zero = top + this.high * scale;
    this.put("path", { class: "line", d: `M${AXIS} ${zero}H${this.x(last)}` });
    this.put("text", { class: "muted end", x: AXIS - 6, y: top + 10 }, short(this.high));
    if (this.low < 0) this.put("text", { class: "muted end", x: AXIS - 6, y: top + tall }, short(this.low));
    for (let base = first; base < last; base++) {
      const value = view.contributions[base], letter = view.sequence[base], height = Math.abs(value) * scale;
      if (height < 0.3) continue;
      const y = value > 0 ? zero - height : zero;
      if (this.unit < 4 || !(letter in OUTLINES)) this.put("rect", { class: letter, x: this.x(base), y, width: this.unit * 0.9, height });
      else this.put("path", { class: letter, d: OUTLINES[letter], "fill-rule": "evenodd", transform: `translate(${this.x(base) + this.unit * 0.04} ${y}) scale(${this.unit * 0.92} ${height})` });
    }
    if (!original || original.sequence === view.sequence || original.sequence.length !== view.sequence.length) return;
    let path = "";
    for (let base = first; base < last; base++) path += `${path ? "L" : "M"}${this.x(base).toFixed(1)} ${(zero - original.contributions[base] * scale).toFixed(1)}h${this.unit.toFixed(2)}`;
    this.put("path", { class: "pinned", d: path });
  }

  attention(weights, top) {
    const { first, last } = this.window, most = Math.max(1e-12, ...weights);
    this.put("text", { class: "muted", x: AXIS, y: top + 8 }, say("attention weight"));
    this.put("text", { class: "muted end", x: AXIS - 6, y: top + 22 }, short(most));
    for (let base = first; base < last; base++) {
      const height = 38 * weights[base] / most;
      this.put("rect", { class: "plus", x: this.x(base) + this.unit * 0.08, y: top + 50 - height, width: this.unit * 0.84, height });
    }
    this.put("path", { class: "line", d: `M${AXIS} ${top + 50}H${this.x(last)}` });
    return top + 54;
  }

  cursor(height) {
    const { first, last } = this.window, at = state.cursor;
    if (at >= first && at < last) this.put("rect", { class: "cursor", x: this.x(at), y: 17, width: Math.max(this.unit, 2), height: height - 20 });
  }

  // A click on a base chooses it; one on another letter of the grid puts that in its place.
  point(event) {
    const box = this.svg.getBoundingClientRect(), y = event.clientY - box.top;
    const base = state.first + Math.floor((event.clientX - box.left - AXIS) / this.unit);
    if (base < this.window.first || base >= this.window.last) return;
    state.cursor = base;
    const row = Math.floor((y - 38) / 13);
    if (row >= 0 && row < 4 && this.unit >= 4) mutate(base, BASES[row]);
    draw();
  }

  key(event) {
    const { length } = current().sequence, at = state.cursor, letter = event.key.toUpperCase();
    if (event.altKey || event.ctrlKey || event.metaKey) return false;
    if ("ACGTN".includes(letter) && letter.length === 1) { if (at >= 0) mutate(at, letter); }
    else if (event.key === "+" || event.key === "=") zoom(2);
    else if (event.key === "-") zoom(0.5);
    else {
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, PageDown: at + 10, PageUp: at - 10, Home: 0, End: length - 1 }[event.key];
      if (to === undefined) return false;
      state.cursor = Math.min(length - 1, Math.max(0, to));
      reveal();
    }
    draw();
    return true;
  }
}

function reveal() {
  const n = tracks.window.last - tracks.window.first;
  if (state.cursor < state.first) state.first = state.cursor;
  if (state.cursor >= state.first + n) state.first = state.cursor - n + 1;
}

function zoom(factor) {
  state.zoom = Math.min(32, Math.max(1, state.zoom * factor));
  if (state.cursor >= 0) state.first = state.cursor - Math.floor(tracks.visible(tracks.figure.clientWidth) / 2);
  draw();
}

function drawPredictions() {
  const table = $("#predictions"), number = (value, words = short) => make("td", { textContent: value === null || value === undefined ? "–" : words(value) });
  const head = [say("model"), say("logit"), say("original"), say("change"), say("probability"), say("sd over seeds"), say("beside training")];
  const rows = state.shown.map((id, at) => {
    const view = viewOf(current(), id), before = viewOf(current().original, id), open = current().problems.has(keyOf(id)) ? "–" : "…";
    const { logit, probability, sd, unusual } = view?.prediction ?? {};
    const name = make("th", { scope: "row" }, make("span", { className: `swatch m${at}` }), " " + id);
    const words = { longer: say("longer"), shorter: say("shorter"), composition: say("other composition") };
    const cells = [number(before?.prediction.logit), number(view && before ? logit - before.prediction.logit : null, signed), number(probability), number(sd)];
    const beside = make("td", { textContent: view ? unusual.split(",").filter(Boolean).map(one => words[one] ?? one).join(", ") || say("usual") : open });
    return make("tr", {}, name, make("td", {}, make("strong", { textContent: view ? short(logit) : open })), ...cells, beside);
  });
  const header = make("tr", {}, ...head.map(textContent => make("th", { scope: "col", textContent })));
  table.replaceChildren(make("caption", { textContent: say("Predictions") }), make("thead", {}, header), make("tbody", {}, ...rows));
}

// The base that is chosen, and what each letter in its place would do.
function drawPalette() {
  const palette = $("#palette"), { sequence } = current(), at = state.cursor;
  if (at < 0 || at >= sequence.length) { palette.replaceChildren(); return; }
  const view = state.shown.map(id => viewOf(current(), id)).find(one => one?.effects);
  if (palette.children.length !== 6) palette.replaceChildren(make("span", { translate: false }), ...[...BASES, "N"].map(letter => {
    const button = make("button", { type: "button", translate: false }, make("b", { textContent: letter }), make("span"));
    button.onclick = () => mutate(state.cursor, letter);
    return button;
  }));
  palette.firstChild.textContent = say("Base {n}, {letter}; the logit changes by:", { n: at + 1, letter: sequence[at] });
  [...BASES, "N"].forEach((letter, row) => {
    const button = palette.children[row + 1], effect = view && row < 4 ? view.effects[row][at] : null;
    button.setAttribute("aria-pressed", String(sequence[at] === letter));
    button.lastChild.textContent = effect === null || sequence[at] === letter ? "" : " " + signed(effect);
  });
}

function drawReadout() {
  const at = state.cursor, { sequence } = current(), readout = $("#readout");
  if (at < 0 || at >= sequence.length) {
    readout.textContent = say("Click a base, or choose the picture and use the arrow keys; then a letter puts it there. A grey line shows the original.");
    return;
  }
  const parts = state.shown.map(id => [id, viewOf(current(), id)]).filter(([, view]) => view).map(([id, view]) => {
    const words = `${id}: ${short(view.contributions[at])}`;
    return view.attention ? `${words}, ${say("attention weight {value}", { value: short(view.attention[at]) })}` : words;
  });
  readout.textContent = [say("Base {n}, {letter}", { n: at + 1, letter: sequence[at] }), ...parts].join("; ");
}

function drawStatus() {
  const now = current();
  const problem = state.shown.map(id => [id, now.problems.get(keyOf(id))]).find(([, one]) => one);
  $("#status").textContent = problem ? `${problem[0]}: ${problem[1].text()}` : "";
}

function draw() {
  if (!current()) return;
  const letters = $("#letters");
  if (document.activeElement !== letters) letters.value = current().sequence;
  fillExamples();
  $("#undo").disabled = state.at <= 0;
  $("#redo").disabled = state.at >= state.entries.length - 1;
  $("#pin").disabled = $("#back").disabled = current() === current().original || current().sequence === current().original.sequence;
  drawStatus();
  drawPredictions();
  tracks.draw();
  drawPalette();
  drawReadout();
}

// A picture alone has no style sheet: what it looks like is written into it.
function pictureWithStyle(svg, title) {
  const copy = svg.cloneNode(true), shown = all("*", svg);
  copy.setAttribute("xmlns", NS);
  copy.setAttribute("role", "img");
  copy.removeAttribute("aria-label"); // which tells of keys
  all("*", copy).forEach((element, index) => {
    const style = getComputedStyle(shown[index]);
    for (const name of ["fill", "stroke", "stroke-width", "opacity", "font-family", "font-size", "font-weight", "text-anchor"])
      if (!(element.tagName !== "text" && /^(font|text)/.test(name))) element.setAttribute(name, style.getPropertyValue(name));
    element.removeAttribute("class");
  });
  copy.removeAttribute("tabindex");
  copy.prepend(shape("title", {}, title));
  return new XMLSerializer().serializeToString(copy);
}

// What it shows, for who opens it alone.
const pictureName = () => [current().name, ...state.shown.map(id => `${id}, ${METHOD_WORDS[methodOf(id)]()}`)].join("; ");
const fileName = () => current().name.replace(/[^\w.-]+/g, "_").slice(0, 80) || "sequence";
// A cell that begins like a formula is one to a spreadsheet.
const cell = value => /^[=+@\t\r-]/.test(String(value)) && Number.isNaN(Number(value)) ? "'" + value : String(value);
const asTable = rows => new Blob([rows.map(row => row.map(cell).join("\t")).join("\n") + "\n"], { type: "text/tab-separated-values" });

function saveTable() {
  const { sequence, original } = current();
  const columns = [];
  for (const id of state.shown) {
    const view = viewOf(current(), id), before = viewOf(original, id);
    if (!view) continue;
    columns.push([`${id} ${view.method}`, view.contributions]);
    if (before && before !== view && before.sequence.length === sequence.length) columns.push([`${id} ${view.method} original`, before.contributions]);
    if (view.attention) columns.push([`${id} attention`, view.attention]);
    if (view.effects) [...BASES].forEach((letter, row) => columns.push([`${id} to ${letter}`, view.effects[row]]));
  }
  const rows = [["position", "base", "original", ...columns.map(([name]) => name)]];
  for (let at = 0; at < sequence.length; at++) rows.push([at + 1, sequence[at], original.sequence[at] ?? "", ...columns.map(([, values]) => values[at])]);
  save(fileName() + ".tsv", asTable(rows));
}

function saveAll() {
  const { name, sequence, original } = current(), viewsOf = entry => state.shown.map(id => viewOf(entry, id)).filter(Boolean);
  const content = { name, sequence, original: original.sequence, views: viewsOf(current()), original_views: viewsOf(original), sweeps: current().swept, inside: state.inside };
  save(fileName() + ".json", new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
}
