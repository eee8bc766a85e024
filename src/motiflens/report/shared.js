// What every page shares: its two languages, light and dark, files to save, letters.
const $ = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* a file may keep nothing */ } };
const remembered = key => { try { return localStorage.getItem(key); } catch { return null; } };

// Words: the page is English; the other language is a list of pairs, and texts are exchanged.
const words = JSON.parse($("#words").textContent);
const original = new WeakMap();
const redraw = [];
let chinese = false;
const say = (text, values = {}) =>
  ((chinese && words[text]) || text).replace(/\{(\w+)\}/g, (_, name) => values[name]);

function exchange(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!parent || parent.closest("script, style, [translate=no]")) continue;
    if (!original.has(node)) original.set(node, node.data);
    const text = original.get(node), key = text.replace(/\s+/g, " ").trim();
    const [, before, after] = text.match(/^(\s*)[^]*?(\s*)$/);
    node.data = chinese && Object.hasOwn(words, key) ? before + words[key] + after : text;
  }
  for (const element of all("[aria-label]", root)) {
    if (!original.has(element)) original.set(element, element.getAttribute("aria-label"));
    const text = original.get(element);
    element.setAttribute("aria-label", (chinese && words[text]) || text);
  }
}

function speak(language) {
  chinese = language === "zh";
  document.documentElement.lang = chinese ? "zh-CN" : "en";
  exchange(document.documentElement);
  redraw.forEach(draw => draw());
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const preferred = () => remembered("motiflens-language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");

function addSwitches() {
  const chosen = remembered("motiflens-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  const language = make("button", { type: "button" });
  const theme = make("button", { type: "button" });
  const isDark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  language.translate = theme.translate = false;
  redraw.push(() => {
    language.textContent = chinese ? "English" : "中文";
    language.lang = chinese ? "en" : "zh-CN";
    theme.textContent = isDark() ? say("Light") : say("Dark");
  });
  language.onclick = () => { speak(chinese ? "en" : "zh"); remember("motiflens-language", chinese ? "zh" : "en"); };
  theme.onclick = () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    remember("motiflens-theme", document.documentElement.dataset.theme);
    redraw.forEach(draw => draw());
  };
  $("#switches").append(language, theme);
}

// Boxes are stops of the keyboard only while they scroll.
function markScrolling() {
  for (const box of all(".scroll")) {
    const scrolls = box.scrollWidth > box.clientWidth + 1;
    if (scrolls) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      const name = box.closest("figure")?.querySelector("figcaption b") ?? $("caption", box);
      box.setAttribute("aria-label", name ? name.textContent : say("Table"));
    } else for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
  }
}

function save(name, content) {
  const link = make("a", { download: name, href: URL.createObjectURL(content) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function pictureAsText(svg) {
  const copy = svg.cloneNode(true), shown = all("*", svg);
  // Colours are of the style sheet, which a picture alone has not.
  all("*", copy).forEach((element, index) => {
    for (const paint of "fill stroke".split(" "))
      if (element.hasAttribute(paint)) element.setAttribute(paint, getComputedStyle(shown[index])[paint]);
  });
  return new XMLSerializer().serializeToString(copy);
}

function saveAsPng(svg, name) {
  const image = new Image(), [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  image.onload = () => {
    const canvas = make("canvas", { width: 3 * width, height: 3 * height });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob(blob => save(name, blob));
  };
  image.src = URL.createObjectURL(new Blob([pictureAsText(svg)], { type: "image/svg+xml" }));
}

// Letters in a box of 1 by 1, and numbers in three digits.
const OUTLINES = {
  A: "M0 1L.39 0H.61L1 1H.78L.7.77H.3L.22 1ZM.36.59H.64L.5.2Z",
  C: "M1 .787A.55.5 0 1 1 1 .213L.82.311A.33.33 0 1 0 .82.689Z",
  G: "M1 .213L.82.311A.33.33 0 1 0 .8.715V.62H.55V.46H1V.787A.55.5 0 1 1 1 .213Z",
  T: "M0 0H1V.19H.61V1H.39V.19H0Z",
};
const COMPLEMENT = { A: "T", C: "G", G: "C", T: "A", N: "N" };

function short(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  return (size && (size < 0.001 || size >= 1e5) ? value.toExponential(1) : String(Number(value.toPrecision(3)))).replace("-", "−");
}
