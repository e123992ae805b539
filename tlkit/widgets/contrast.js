// What a contrastive loss does to points on a circle. Points are angles in degrees; views 2i and 2i + 1 are those of
// image i. Tested against `tl.objectives.SimCLR`, `tl.representations.alignment` and `uniformity`.

export const RADIAN = Math.PI / 180; // of a degree
const STEP = 14; // degrees that a pull of 1 moves a view in one step of descent
const FARTHEST = 10; // degrees that any view moves in a step, at most
const REST = 0.005; // a smaller pull moves nothing that is seen

const sum = (values) => values.reduce((one, more) => one + more, 0);
const mean = (values) => sum(values) / values.length;
export const other = (view) => view ^ 1; // the other view of its image

export const cosines = (points) => points.map((one) => points.map((to) => Math.cos((one - to) * RADIAN)));

// Each row's share of exp(cosine / temperature) among all views but itself: the softmax in the loss.
export function shares(points, temperature) {
  return cosines(points).map((row, view) => {
    const terms = row.map((cosine, to) => (to === view ? 0 : Math.exp((cosine - 1) / temperature)));
    return terms.map((term) => term / sum(terms));
  });
}

// -log of the share of the other view; without the push the part that pulls: (1 - cosine) / temperature.
export function loss(points, { temperature, push }) {
  if (!push) return mean(cosines(points).map((row, view) => (1 - row[other(view)]) / temperature));
  return mean(shares(points, temperature).map((row, view) => -Math.log(row[other(view)])));
}

export const collapsedLoss = (count, push) => (push ? Math.log(count - 1) : 0); // where all views are one point

const squares = (points) => cosines(points).map((row) => row.map((cosine) => 2 - 2 * cosine)); // of distances

export const alignment = (points) => mean(squares(points).map((row, view) => row[other(view)]));

// The mean of the first views' and of the other views' uniformity.
export function uniformity(points) {
  return mean([0, 1].map((side) => {
    const views = squares(points.filter((_, view) => view % 2 === side));
    return Math.log(mean(views.flatMap((row, view) => row.filter((_, to) => to !== view)).map((square) => Math.exp(-2 * square))));
  }));
}

// How the view of a row is drawn along its circle by that of a column: its part of the negative gradient per radian,
// times count and temperature, so that 1 is a strong pull at any temperature.
export function pulls(points, { temperature, push }) {
  const share = push && shares(points, temperature);
  const slope = (view, to) => (to === other(view)) - (push ? share[view][to] : 0);
  return points.map((one, view) => points.map((at, to) => (slope(view, to) + slope(to, view)) * Math.sin((at - one) * RADIAN)));
}

// All that draws a view, together; 0 where that is too little to be seen.
export const moves = (points, settings) => pulls(points, settings).map(sum).map((pull) => (Math.abs(pull) < REST ? 0 : pull));

// One step of gradient descent.
export function descended(points, settings) {
  const drawn = moves(points, settings);
  const rate = Math.min(STEP, FARTHEST / Math.max(...drawn.map(Math.abs)));
  return points.map((point, view) => (drawn[view] ? point + rate * drawn[view] : point));
}

// Where steps lead until nothing moves, at most `most` of them.
export function future(points, settings, most = 300) {
  const path = [points];
  while (path.length <= most && moves(path.at(-1), settings).some(Boolean)) path.push(descended(path.at(-1), settings));
  return path;
}
