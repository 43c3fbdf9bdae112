// What would keep somebody from using the page that is open? Returns sentences; none is good.
const problems = [];
const say = (problem, element) => problems.push(problem + ": " + (element ? element.outerHTML.slice(0, 120) : ""));
const all = (selector) => [...document.querySelectorAll(selector)];
const shown = (element) => element.getClientRects().length > 0;

if (!document.documentElement.lang) say("no language");
if (!document.title.trim()) say("no title");
if (all("main").length !== 1) say("not one main");
if (all("h1").length !== 1) say("not one h1");
if (all("script").length) say("a script");
if (all("[style]").length) say("an inline style");

let level = 0;
for (const heading of all("h1, h2, h3, h4, h5, h6")) {
  const next = Number(heading.tagName[1]);
  if (next > level + 1) say("a level of headings is left out", heading);
  level = next;
}

const ids = all("[id]").map((element) => element.id);
for (const id of ids.filter((id, at) => ids.indexOf(id) !== at)) say("an id is given twice: " + id);
for (const element of all("[aria-labelledby]")) {
  if (!document.getElementById(element.getAttribute("aria-labelledby"))) say("named by nothing", element);
}
for (const label of all("label[for]")) if (!label.control) say("a label of nothing", label);
for (const group of all("fieldset")) if (!group.querySelector("legend")) say("no legend", group);
for (const form of all("form")) if (!form.querySelector("button[type=submit]")) say("no button", form);
for (const form of all("form[method=post]")) if (!form.elements.csrf) say("no token", form);

// WCAG 2.2, 2.5.8: 24 by 24.
for (const control of all("button, a.button, select").filter(shown)) {
  const box = control.getBoundingClientRect();
  if (box.width < 24 || box.height < 24) say("too small to hit", control);
}

// WCAG 2.2, 1.4.10: no scrolling sideways.
if (document.documentElement.scrollWidth > window.innerWidth) {
  say("wider than the screen: " + document.documentElement.scrollWidth + " > " + window.innerWidth);
}

// WCAG 2.2, 1.4.3: 4.5 to 1, and 3 to 1 for large text.
const parse = (color) => {
  const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
  return { r, g, b, a };
};
const luminance = ({ r, g, b }) => {
  const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
};
const behind = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const color = parse(getComputedStyle(at).backgroundColor);
    if (color.a === 1) return color;
    if (color.a !== 0) say("a colour that shines through", at);
  }
  return { r: 255, g: 255, b: 255 };
};
for (const element of all("body, body *").filter(shown)) {
  const texts = [...element.childNodes].filter((node) => node.nodeType === 3 && node.data.trim());
  if (!texts.length) continue;
  const style = getComputedStyle(element);
  const [light, dark] = [luminance(parse(style.color)), luminance(behind(element))].sort((a, b) => b - a);
  const ratio = (light + 0.05) / (dark + 0.05);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (ratio < (large ? 3 : 4.5)) say("contrast " + ratio.toFixed(2), element);
}
return problems;
