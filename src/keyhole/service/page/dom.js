// Elements from plain values. Text goes in as text: there is no way here to insert HTML.

export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export const find = (id) => document.getElementById(id);

export function announce(words) {
  const place = find("announcer");
  // The same words twice in a row are only read again if the text changes in between.
  place.textContent = "";
  requestAnimationFrame(() => {
    place.textContent = words;
  });
}
