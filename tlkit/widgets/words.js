// Numbers and names in words.

export const MINUS = "\u2212";
export const SPACE = "\u00a0"; // keeps a number and its unit on one line
const COUNTS = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
export const known = (value) => value !== null && value !== undefined && Number.isFinite(value);
export const count = (number) => COUNTS[number] ?? String(number);
// A number as an attribute takes it: 1e-7 is not one.
export const plain = (value) => value.toLocaleString("en", { useGrouping: false, maximumSignificantDigits: 17 });
export const many = (number) => number.toLocaleString("en");
export const fixed = (value, digits = 1) => value.toFixed(digits).replace(/^-(0\.?0*$)?/, (_, zero) => zero ?? MINUS);
export const signed = (value, digits = 1) => (Number(value.toFixed(digits)) > 0 ? "+" : "") + fixed(value, digits);
export const shortPercent = (value) => `${Number(value.toFixed(1))}${SPACE}%`;
export const twoFigures = (value) => Number(value.toPrecision(2));
export const rateWords = (rate) => (rate < 0.99e-4 ? twoFigures(rate).toExponential() : String(twoFigures(rate)));

// "labels per class" for several, "label per class" for one
export function amount(budget, unit = "labels per class") {
  return budget === "all" ? "all labels" : `${budget} ${budget === 1 ? unit.replace(/(?<=s)es\b|s\b/, "") : unit}`;
}

export const article = (name) => `${/^(8|11$|18$|[aeio]|u\w|[fhlmnrsx]$)/i.test(name) ? "an" : "a"} ${name}`;
