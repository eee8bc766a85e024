function addButtons() {
  for (const card of all(".card")) {
    const svg = $("figure svg", card), name = card.id.slice(5), files = $(".files", card);
    const asSvg = make("button", { type: "button", textContent: "SVG" });
    const asPng = make("button", { type: "button", textContent: "PNG" });
    asSvg.onclick = () => save(name + ".svg", new Blob([pictureAsText(svg)], { type: "image/svg+xml" }));
    asPng.onclick = () => saveAsPng(svg, name + ".png");
    files.append(asSvg, asPng);
    if ($("#sequences-data")) {
      const link = make("a", { href: "#motif=" + encodeURIComponent(name), translate: false });
      redraw.push(() => { link.textContent = say("Sequences with it"); });
      files.append(link);
    }
  }
  for (const block of all(".command")) {
    const button = make("button", { type: "button" });
    redraw.push(() => { button.textContent = say("Copy"); });
    button.translate = false;
    button.onclick = () => {
      const range = document.createRange();
      range.selectNodeContents($(".copied", block));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      const text = $(".copied", block).textContent;
      const done = () => { button.textContent = say("Copied"); };
      if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, () => document.execCommand("copy") && done());
      else if (document.execCommand("copy")) done();
    };
    block.append(button);
  }
}

// The browser of sequences.
const LETTERS = "ACGTN";
const ROW = 30, LEFT = 104, SVG = "http://www.w3.org/2000/svg", SANS = "system-ui, sans-serif", MONOSPACE = "ui-monospace, monospace";

const colour = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const paintOf = letter => colour(letter in OUTLINES ? letter.toLowerCase() : "muted");
const exact = value => String(Number(value.toPrecision(6)));
const tip = (letter, base, value) => `${letter}${base + 1}: ${exact(value)}`;

async function unzip(text) {
  const bytes = Uint8Array.from(atob(text), sign => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

// What a picture is drawn with: the same calls fill a canvas, or write an SVG in which bars and letters hold their values.
class CanvasPen {
  constructor(canvas, width, height) {
    const ratio = devicePixelRatio || 1;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.height = height + "px";
    this.to = canvas.getContext("2d");
    this.to.scale(ratio, ratio);
  }

  fill(paint, x, y, width, height) {
    this.to.fillStyle = paint;
    this.to.fillRect(x, y, width, height);
  }

  frame(paint, x, y, width, height, thick = 1) {
    this.to.strokeStyle = paint;
    this.to.lineWidth = thick;
    this.to.strokeRect(x, y, width, height);
  }

  text(words, x, y, { paint, align = "left", size = 12, base = false, room = 0 }) {
    const { to } = this;
    to.save();
    if (room) {
      to.beginPath();
      to.rect(x - 3, y - 15, room, 22);
      to.clip();
    }
    to.font = base ? `bold ${size}px ${MONOSPACE}` : `${size}px ${SANS}`;
    to.textAlign = align;
    to.fillStyle = paint;
    to.fillText(words, x, y);
    to.restore();
  }

  letter(outline, paint, x, y, width, height) {
    const { to } = this;
    to.save();
    to.translate(x, y);
    to.scale(width, height);
    to.fillStyle = paint;
    to.fill(new Path2D(outline), "evenodd");
    to.restore();
  }
}

class SvgPen {
  constructor(width, height, name) {
    const root = this.root = document.createElementNS(SVG, "svg");
    for (const [key, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "font-family": SANS })) root.setAttribute(key, value);
    this.add("title", {}, name);
  }

  add(tag, attributes, text = "", tip = "") {
    const element = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, typeof value === "number" ? Number(value.toFixed(2)) : value);
    element.textContent = text;
    if (tip) element.append(Object.assign(document.createElementNS(SVG, "title"), { textContent: tip }));
    this.root.append(element);
  }

  fill(paint, x, y, width, height, tip) { this.add("rect", { x, y, width, height, fill: paint }, "", tip); }

  frame(paint, x, y, width, height, thick = 1) { this.add("rect", { x, y, width, height, fill: "none", stroke: paint, "stroke-width": thick }); }

  text(words, x, y, { paint, align = "left", size = 12, base = false }) {
    const anchor = { left: "start", center: "middle", right: "end" }[align];
    this.add("text", { x, y, fill: paint, "text-anchor": anchor, "font-size": size, ...(base ? { "font-weight": "bold", "font-family": MONOSPACE } : {}) }, words);
  }

  letter(outline, paint, x, y, width, height, tip) {
    this.add("path", { d: outline, fill: paint, "fill-rule": "evenodd", transform: `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${width.toFixed(3)} ${height.toFixed(4)})` }, "", tip);
  }

  toString() { return new XMLSerializer().serializeToString(this.root); }
}

class Sequences {
  constructor(content) {
    this.content = content;
    this.kept = new Map();
  }

  async chunk(owner, index) {
    if (!this.kept.has(owner)) this.kept.set(owner, new Map());
    const chunks = this.kept.get(owner);
    if (!chunks.has(index)) chunks.set(index, await unzip(owner[index]));
    return chunks.get(index);
  }

  async letters(row) {
    const { chunk, width, lengths, letters } = this.content;
    const codes = new Uint8Array(await this.chunk(letters, Math.floor(row / chunk)));
    const start = (row % chunk) * width;
    return Array.from(codes.subarray(start, start + lengths[row]), code => LETTERS[code]).join("");
  }

  // Values of a track: whole numbers times the scale of their sequence.
  async values(track, row) {
    const { chunk, width, lengths, names } = this.content;
    const first = Math.floor(row / chunk) * chunk, n = Math.min(chunk, names.length - first);
    const buffer = await this.chunk(track.chunks, Math.floor(row / chunk));
    const scale = new DataView(buffer).getFloat32(4 * (row - first), true);
    const whole = new Int8Array(buffer, 4 * n + (row - first) * width, lengths[row]);
    return Float64Array.from(whole, value => value * scale);
  }
}

class Viewer {
  constructor(place, content) {
    this.data = new Sequences(content);
    this.content = content;
    this.order = [];
    this.row = 0;
    this.zoom = 1;
    this.first = 0;
    this.cursor = -1;
    this.shown = null;
    this.build(place);
    this.choose();
  }

  control(text, element) {
    const name = make("span");
    redraw.push(() => { name.textContent = say(text); });
    name.translate = false;
    return make("label", {}, name, element);
  }

  options(select, pairs) {
    const write = () => {
      const value = select.value;
      select.replaceChildren(...pairs.map(([id, text, fixed]) => make("option", { value: id, textContent: fixed ? text : say(text) })));
      if (pairs.some(([id]) => String(id) === value)) select.value = value;
    };
    select.translate = false;
    write();
    redraw.push(write);
  }

  build(place) {
    const { content } = this;
    const motifs = [...new Set(content.found.flat().map(site => site[3]))].sort();
    this.search = make("input", { type: "search", size: 14 });
    this.sort = make("select");
    const errors = Object.keys(content.logits).length ? [["error", "worst errors first"]] : [];
    this.options(this.sort, [...errors, ["weak", "weakest signal first"], ["strong", "strongest signal first"], ["order", "order of the run"], ["name", "name"]]);
    this.kind = make("select");
    const judged = errors.length && Object.keys(content.thresholds).length, negatives = content.positives < content.names.length;
    this.options(this.kind, [["", "all"], ...(negatives ? [["positives", "positives"], ["negatives", "negatives"]] : []), ...(judged ? [["missed", "false negatives"]] : []), ...(judged && negatives ? [["mistaken", "false positives"]] : [])]);
    this.filter = make("select");
    this.options(this.filter, [["", "all"], ...motifs.map(name => ["m:" + name, name, true]), ["none", "without a found site"]]);
    this.track = make("select");
    this.options(this.track, content.tracks.map((track, index) => [index, `${track.name}, ${track.model}`, true]).filter((_, index) => content.tracks[index].method !== "attention" || content.tracks.every(one => one.method === "attention")));
    const nearer = make("button", { type: "button", textContent: "+" }), farther = make("button", { type: "button", textContent: "−" });
    redraw.push(() => { nearer.ariaLabel = say("Zoom in"); farther.ariaLabel = say("Zoom out"); });
    nearer.translate = farther.translate = false;
    this.list = make("div", { className: "list", tabIndex: 0 });
    this.list.setAttribute("role", "listbox");
    this.inner = make("div");
    this.list.append(this.inner);
    this.count = make("p", { className: "count", translate: false });
    this.heading = make("h3", { translate: false });
    this.canvas = make("canvas", { tabIndex: 0 });
    this.canvas.setAttribute("role", "img");
    this.slide = make("input", { type: "range", min: 0, value: 0 });
    this.readout = make("p", { className: "readout", translate: false });
    this.readout.setAttribute("aria-live", "polite");
    const table = make("button", { type: "button", translate: false }), picture = make("button", { type: "button", textContent: "PNG" }), drawing = make("button", { type: "button", textContent: "SVG" });
    const link = make("a", { translate: false });
    redraw.push(() => {
      table.textContent = say("Table (TSV)");
      link.textContent = say("Link to this sequence");
      this.list.ariaLabel = say("Sequences");
      this.slide.ariaLabel = say("First base shown");
      this.refresh();
    });
    this.link = link;
    const tools = make("div", { className: "tools" }, this.control("Search", this.search), this.control("Sort", this.sort), this.control("Show", this.kind), this.control("With a site of", this.filter), this.control("Letters scaled by", this.track), farther, nearer);
    const side = make("div", {}, this.list, this.count);
    const tracks = make("div", { className: "tracks" }, this.heading, this.canvas, this.slide, this.readout, make("p", { className: "files" }, link, table, drawing, picture));
    place.append(make("div", { className: "viewer" }, tools, side, tracks));
    place.hidden = false;

    this.search.oninput = this.sort.onchange = this.kind.onchange = this.filter.onchange = () => this.choose();
    this.track.onchange = () => { this.choose(); this.open(this.row); };
    this.list.onscroll = () => this.drawList();
    this.list.onkeydown = event => this.walk(event);
    this.inner.onclick = event => {
      const option = event.target.closest("[role=option]");
      if (option) this.open(Number(option.dataset.row), true);
    };
    nearer.onclick = () => this.scale(2);
    farther.onclick = () => this.scale(0.5);
    this.slide.oninput = () => { this.first = Number(this.slide.value); this.draw(); };
    this.canvas.onpointermove = this.canvas.onpointerdown = event => this.point(event.offsetX);
    this.canvas.onkeydown = event => this.move(event);
    table.onclick = () => this.saveTable();
    drawing.onclick = () => this.savePicture();
    picture.onclick = () => this.canvas.toBlob(blob => save(this.fileName() + ".png", blob));
    new ResizeObserver(() => this.draw()).observe(this.canvas.parentElement);
  }

  name(row) {
    const { names, places } = this.content;
    return places.length && places[row] ? `${names[row]} · ${places[row]}` : names[row];
  }

  signal(row) { return this.content.tracks[Number(this.track.value) || 0].sums[row]; }

  logit(row) {
    const { tracks, logits } = this.content;
    return logits[tracks[Number(this.track.value) || 0].model]?.[row] ?? NaN;
  }

  isPositive(row) { return row < this.content.positives; }

  // How far a logit lies on the wrong side of the threshold; without one, of 0.
  error(row) {
    const { tracks, thresholds } = this.content, beyond = this.logit(row) - (thresholds[tracks[Number(this.track.value) || 0].model] ?? 0);
    return this.isPositive(row) ? -beyond : beyond;
  }

  isShown(row) {
    const isPositive = this.isPositive(row), isWrong = this.error(row) > 0;
    return { positives: isPositive, negatives: !isPositive, missed: isPositive && isWrong, mistaken: !isPositive && isWrong }[this.kind.value] ?? true;
  }

  describe(row) {
    const what = this.isPositive(row) ? say("positive, logit {logit}", { logit: short(this.logit(row)) }) : say("negative, logit {logit}", { logit: short(this.logit(row)) });
    return Number.isFinite(this.logit(row)) ? `${this.name(row)} (${what})` : this.name(row);
  }

  mark(row) { return this.sort.value === "error" ? this.logit(row) : this.signal(row); }

  choose() {
    const { names, found, letters } = this.content;
    const wanted = this.search.value.trim().toLowerCase(), site = this.filter.value;
    const rows = names.map((_, row) => row).filter(row => {
      if (wanted && !this.name(row).toLowerCase().includes(wanted)) return false;
      if (!this.isShown(row)) return false;
      if (site === "none") return !found[row].length;
      return !site || found[row].some(one => "m:" + one[3] === site);
    });
    const by = {
      error: (a, b) => this.error(b) - this.error(a),
      weak: (a, b) => this.signal(a) - this.signal(b),
      strong: (a, b) => this.signal(b) - this.signal(a),
      name: (a, b) => names[a].localeCompare(names[b]),
    }[this.sort.value];
    this.order = by ? rows.sort((a, b) => by(a, b) || a - b) : rows;
    this.list.scrollTop = 0;
    this.inner.style.height = this.order.length * ROW + "px";
    this.refresh();
  }

  refresh() {
    const values = { n: this.order.length, total: this.content.names.length };
    this.count.textContent = this.sort.value === "error"
      ? say("{n} of {total} explained sequences; the number is the logit of the first seed", values)
      : say("{n} of {total} explained sequences; the number is the sum of the letters", values);
    this.drawList();
    this.draw();
  }

  drawList() {
    const from = Math.max(0, Math.floor(this.list.scrollTop / ROW) - 3);
    const to = Math.min(this.order.length, from + Math.ceil(this.list.clientHeight / ROW) + 6);
    this.inner.replaceChildren(...this.order.slice(from, to).map((row, index) => {
      const option = make("div", { id: "row-" + row, translate: false }, make("span", { textContent: this.name(row), title: this.name(row) }), make("span", { textContent: this.isPositive(row) ? short(this.mark(row)) : `${say("negative")} ${short(this.mark(row))}` }));
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", String(row === this.row));
      option.setAttribute("aria-posinset", from + index + 1);
      option.setAttribute("aria-setsize", this.order.length);
      option.dataset.row = row;
      option.style.top = (from + index) * ROW + "px";
      return option;
    }));
    if ($("#row-" + this.row, this.inner)) this.list.setAttribute("aria-activedescendant", "row-" + this.row);
    else this.list.removeAttribute("aria-activedescendant");
  }

  walk(event) {
    const page = Math.floor(this.list.clientHeight / ROW), last = this.order.length - 1;
    const at = this.order.indexOf(this.row);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: last }[event.key];
    if (to === undefined || last < 0) return;
    event.preventDefault();
    const next = Math.min(last, Math.max(0, to));
    this.reveal(next);
    this.open(this.order[next], true);
  }

  reveal(position) {
    const top = position * ROW, { scrollTop, clientHeight } = this.list;
    if (top < scrollTop) this.list.scrollTop = top;
    else if (top + ROW > scrollTop + clientHeight) this.list.scrollTop = top + ROW - clientHeight;
  }

  async open(row, chosen = false) {
    this.row = row;
    this.drawList();
    const { tracks } = this.content, track = tracks[Number(this.track.value) || 0];
    const letters = await this.data.letters(row), values = await this.data.values(track, row);
    const other = track.method === "attention" ? null : tracks.find(one => one.model === track.model && one.method === "attention");
    const attention = other ? await this.data.values(other, row) : null;
    if (row !== this.row) return;
    if (this.shown?.row !== row) { this.first = 0; this.cursor = -1; }
    this.shown = { row, letters, values, attention, track };
    this.link.href = "#seq=" + (row + 1);
    if (chosen) { try { history.replaceState(null, "", "#seq=" + (row + 1)); } catch { /* not everywhere */ } }
    this.draw();
  }

  scale(factor) {
    this.zoom = Math.min(32, Math.max(1, this.zoom * factor));
    if (this.cursor >= 0) this.first = this.cursor - Math.floor(this.visible() / 2);
    this.draw();
  }

  visible() { return Math.max(10, Math.ceil(this.shown.letters.length / this.zoom)); }

  point(x) {
    if (!this.shown || x < LEFT) return;
    this.cursor = Math.min(this.shown.letters.length - 1, this.first + Math.floor((x - LEFT) / this.step));
    this.draw();
  }

  move(event) {
    if (!this.shown) return;
    const last = this.shown.letters.length - 1;
    const to = { ArrowRight: this.cursor + 1, ArrowLeft: this.cursor - 1, PageDown: this.cursor + 10, PageUp: this.cursor - 10, Home: 0, End: last }[event.key];
    if (event.key === "+" || event.key === "-") this.scale(event.key === "+" ? 2 : 0.5);
    else if (to === undefined) return;
    else {
      this.cursor = Math.min(last, Math.max(0, to));
      const n = this.visible();
      if (this.cursor < this.first) this.first = this.cursor;
      if (this.cursor >= this.first + n) this.first = this.cursor - n + 1;
      this.draw();
    }
    event.preventDefault();
  }

  sitesAt(position) {
    const { true: known, found } = this.content, row = this.shown.row;
    const inside = ([start, end]) => start <= position && position < end;
    return [...known[row].filter(inside).map(site => say("true site {name} ({strand})", { name: site[3], strand: site[2] })), ...found[row].filter(inside).map(site => say("found site {name} ({strand})", { name: site[3], strand: site[2] }))];
  }

  tell() {
    const { letters, values, attention, track } = this.shown, at = this.cursor;
    if (at < 0) {
      this.readout.textContent = say("Point at a base, or choose the picture and use the arrow keys; + and − zoom.");
      return;
    }
    const parts = [say("Base {position}, {letter}: {value} by {method}", { position: at + 1, letter: letters[at], value: short(values[at]), method: track.name })];
    if (attention) parts.push(say("attention weight {value}", { value: short(attention[at]) }));
    this.readout.textContent = [...parts, ...this.sitesAt(at)].join("; ");
  }

  draw() {
    if (!this.shown) return;
    const width = this.canvas.parentElement.clientWidth, height = this.height();
    if (!width) return;
    const n = this.place(width);
    this.slide.max = this.shown.letters.length - n;
    this.slide.value = this.first;
    this.slide.hidden = n >= this.shown.letters.length;
    const pen = new CanvasPen(this.canvas, width, height);
    this.drawOn(pen, width, height);
    const { cursor, first, step } = this;
    if (cursor >= first && cursor < first + n) pen.frame(colour("link"), LEFT + (cursor - first) * step, 20, Math.max(step, 2), height - 26, 1.5);
    this.heading.textContent = this.describe(this.shown.row);
    this.canvas.setAttribute("aria-label", this.title());
    this.tell();
  }

  // Place the window of bases that is shown, and return how many they are.
  place(width) {
    const { letters } = this.shown, n = Math.min(letters.length, this.visible());
    this.first = Math.max(0, Math.min(this.first, letters.length - n));
    this.step = (width - LEFT - 8) / n;
    return n;
  }

  lanes() {
    const { true: known, found } = this.content, { row } = this.shown;
    return [[say("true sites"), known[row]], [say("found sites"), found[row]]].filter(([, sites]) => sites.length);
  }

  height() { return 210 + (this.shown.attention ? 66 : 0) + 24 * this.lanes().length; }

  title() {
    const { letters, row } = this.shown, last = Math.min(letters.length, this.first + this.visible());
    return say("Tracks of {name}: bases {first} to {last} of {length}", { name: this.name(row), first: this.first + 1, last, length: letters.length });
  }

  drawOn(pen, width, height) {
    const { letters, values, attention } = this.shown, { first, step } = this;
    const last = Math.min(letters.length, first + this.visible()), x = base => LEFT + (base - first) * step;
    const lanes = this.lanes(), muted = colour("muted"), write = (words, left, top, more = {}) => pen.text(words, left, top, { paint: muted, ...more });
    const inside = ([start, end]) => [Math.max(start, first), Math.min(end, last)];
    pen.fill(colour("panel"), 0, 0, width, height);
    // One ruler, and the sites' shade, for all tracks.
    for (const [, sites] of lanes) for (const [from, to] of sites.map(inside)) if (to > from) pen.fill(colour("site"), x(from), 22, (to - from) * step, height - 30);
    const every = [1, 5, 10, 20, 50, 100, 200, 500, 1000].find(one => one * step >= 44) ?? 2000;
    for (let base = first; base < last; base++) if ((base + 1) % every === 0) {
      write(base + 1, x(base + 0.5), 14, { align: "center" });
      pen.fill(muted, x(base + 0.5), 18, 1, 4);
    }
    this.drawLetters(pen, width, letters, values, [first, last], 26, 130);
    write(say("contribution"), 4, 96);
    let top = 162;
    if (step >= 7) for (let base = first; base < last; base++) {
      const look = { align: "center", size: Math.min(14, step * 1.25), base: true };
      write(letters[base], x(base + 0.5), top + 14, { ...look, paint: paintOf(letters[base]) });
      write(COMPLEMENT[letters[base]], x(base + 0.5), top + 32, look);
    } else write(say("zoom in for the letters"), x(first), top + 22);
    write(say("strand +"), 4, top + 14);
    write(say("strand −"), 4, top + 32);
    top += 42;
    if (attention) {
      const most = Math.max(...attention) || 1;
      for (let base = first; base < last; base++) {
        const tall = 56 * attention[base] / most;
        pen.fill(colour("s1"), x(base) + step * 0.08, top + 60 - tall, Math.max(0.5, step * 0.84), tall, tip(letters[base], base, attention[base]));
      }
      write(say("attention weight"), 4, top + 36);
      write(short(most), LEFT - 6, top + 12, { align: "right" });
      top += 66;
    }
    for (const [name, sites] of lanes) {
      write(name, 4, top + 15);
      for (const site of sites) {
        const [from, to] = inside(site);
        if (to <= from) continue;
        pen.frame(colour("ink"), x(from), top + 3, (to - from) * step, 16);
        pen.text(`${site[2] === "-" ? "◂ " : "▸ "}${site[3]}`, x(from) + 3, top + 15, { paint: colour("ink"), room: Math.max((to - from) * step, 90) });
      }
      top += 24;
    }
  }

  drawLetters(pen, width, letters, values, [first, last], top, height) {
    const high = Math.max(0, ...values), low = Math.min(0, ...values), unit = height / ((high - low) || 1), zero = top + high * unit;
    const { step } = this, x = base => LEFT + (base - first) * step, look = { paint: colour("muted"), align: "right" };
    pen.fill(colour("rule"), LEFT, zero, width - LEFT - 8, 1);
    pen.text(short(high), LEFT - 6, top + 10, look);
    if (low < 0) pen.text(short(low), LEFT - 6, top + height, look);
    for (let base = first; base < last; base++) {
      const letter = letters[base], tall = Math.abs(values[base]) * unit, said = tip(letter, base, values[base]);
      if (tall < 0.3) continue;
      const y = values[base] > 0 ? zero - tall : zero;
      if (step < 4 || !(letter in OUTLINES)) pen.fill(paintOf(letter), x(base), y, Math.max(step * 0.9, 0.6), tall, said);
      else pen.letter(OUTLINES[letter], paintOf(letter), x(base) + step * 0.04, y, step * 0.92, tall, said);
    }
  }

  savePicture() {
    const width = this.canvas.parentElement.clientWidth, height = this.height();
    const pen = new SvgPen(width, height, `${this.title()}; ${this.shown.track.name}, ${this.shown.track.model}`);
    this.drawOn(pen, width, height);
    save(this.fileName() + ".svg", new Blob([pen.toString()], { type: "image/svg+xml" }));
  }

  fileName() { return this.content.names[this.shown.row].replace(/[^\w.-]+/g, "_").slice(0, 80) || "sequence"; }

  async saveTable() {
    const { row, letters } = this.shown, { tracks } = this.content;
    const columns = [];
    for (const track of tracks) columns.push(await this.data.values(track, row));
    // A cell that begins like a formula is one to a spreadsheet.
    const cell = value => /^[=+@\t\r-]/.test(String(value)) && Number.isNaN(Number(value)) ? "'" + value : String(value);
    const lines = [["position", "base", ...tracks.map(track => cell(`${track.model} ${track.method}`))]];
    for (let at = 0; at < letters.length; at++) lines.push([at + 1, letters[at], ...columns.map(values => exact(values[at]))]);
    save(this.fileName() + ".tsv", new Blob([lines.map(line => line.join("\t")).join("\n") + "\n"], { type: "text/tab-separated-values" }));
  }
}

let viewer = null;

function follow() {
  const hash = decodeURIComponent(location.hash.slice(1)), [kind, value] = hash.split("=");
  if (viewer && kind === "seq" && viewer.content.names[value - 1] !== undefined) {
    viewer.open(value - 1);
    $("#browser").scrollIntoView();
  } else if (viewer && kind === "motif") {
    viewer.filter.value = "m:" + hash.slice(6);
    viewer.choose();
    if (viewer.order.length) viewer.open(viewer.order[0]);
    $("#browser").scrollIntoView();
  } else {
    // A link to what lies in a fold opens it.
    for (let fold = document.getElementById(hash)?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  }
}

function start() {
  addSwitches();
  addButtons();
  if ($("#sequences-data") && typeof DecompressionStream === "function") {
    const content = JSON.parse($("#sequences-data").textContent);
    if (content.tracks.length) {
      viewer = new Viewer($("#browser"), content);
      $("#pictures").hidden = true;
      viewer.open(viewer.order[0] ?? 0);
    }
  }
  speak(preferred());
  follow();
  markScrolling();
  addEventListener("hashchange", follow);
  addEventListener("resize", markScrolling);
  document.addEventListener("toggle", markScrolling, true);
}
start();
