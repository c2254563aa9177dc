/* Small things that interactive pages need: elements, numbers as text, the theme's colours, and
   what S is compared with.

   Scripts of a page share one name, here `Page`, to which each adds its part. They are classic
   scripts, in the order of book/_ext/page_scripts.py: a page opened from a file may load neither
   modules nor data. */
"use strict";

const Page = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const CLASSICAL_BOUND = 2;
  const TSIRELSON_BOUND = 2 * Math.SQRT2;
  const SIGNS = [1, 1, 1, -1]; // of the correlators in S

  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  const element = (tag, attributes = {}, ...children) =>
    fill(document.createElement(tag), attributes, children);

  const shape = (tag, attributes = {}, ...children) =>
    fill(document.createElementNS(SVG, tag), attributes, children);

  /** A number with a real minus sign; never "-0.00". */
  function number(value, digits = 2) {
    const text = Math.abs(value).toFixed(digits);
    return value < 0 && Number(text) !== 0 ? `\u2212${text}` : text;
  }

  const interval = ({ low, high }, digits = 2) =>
    `[${number(low, digits)}, ${number(high, digits)}]`;

  const count = (value) => value.toLocaleString("en-US");

  /** A colour of shared/page.css, as the present theme has it. */
  const colour = (name) =>
    getComputedStyle(document.querySelector(".interactive")).getPropertyValue(`--${name}`).trim();

  /** A context of a canvas whose pixels are the screen's, in units of CSS pixels. */
  function sharpContext(canvas) {
    const { width, height } = canvas.getBoundingClientRect();
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    return { context, width, height };
  }

  const prefersStillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  /** Call `redraw` when the width of an element or the colour scheme changes. */
  function onAppearance(watched, redraw) {
    new ResizeObserver(redraw).observe(watched);
    new MutationObserver(redraw).observe(document.documentElement, {
      attributeFilter: ["data-theme"],
    });
  }

  /** A function that runs once, after the last of a burst of calls. */
  function afterBurst(run, milliseconds) {
    let timer;
    return (...given) => {
      clearTimeout(timer);
      timer = setTimeout(run, milliseconds, ...given);
    };
  }

  return {
    CLASSICAL_BOUND, TSIRELSON_BOUND, SIGNS,
    element, shape, number, interval, count, colour, sharpContext, prefersStillness,
    onAppearance, afterBurst,
  };
})();
