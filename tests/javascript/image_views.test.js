import assert from "node:assert/strict";
import test from "node:test";

import { imageName, shownColumns, viewName, viewsShown } from "../../tlkit/widgets/image_views.js";

const VIEW = { augmentations: ["weak", "strong"], views: 6, classes: ["a", "b"], labels: [1, 0] };

test("as many views of each augmentation are shown as there is room for, one at least", () => {
  assert.equal(viewsShown(44 + 2 * (12 + 3 * 44), VIEW), 3);
  assert.equal(viewsShown(44 + 2 * (12 + 3 * 44) - 1, VIEW), 2);
  assert.equal(viewsShown(60, VIEW), 1);
  assert.equal(viewsShown(5_000, VIEW), 6);
});

test("an image stands first, then the first views of each augmentation", () => {
  assert.deepEqual(shownColumns(2, VIEW), [0, 1, 2, 7, 8]);
});

test("images and views are named as they are counted by people", () => {
  assert.equal(imageName(VIEW, 0), "image 1, label b");
  assert.equal(imageName({ ...VIEW, labels: null }, 0), "image 1");
  assert.equal(viewName(VIEW, 6), "weak, view 6");
  assert.equal(viewName(VIEW, 7), "strong, view 1");
});
