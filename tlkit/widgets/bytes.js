// Numbers that a kernel, or a saved page, sends as bytes.

// Bytes come as a view from a kernel, as a buffer from a saved page.
export const dataView = (data) => (data.buffer ? new DataView(data.buffer, data.byteOffset, data.byteLength) : new DataView(data));

// Float32 numbers sent as bytes, in groups of `size`; a group with a NaN in it is no point of a line.
export function floats(model, name, size) {
  const data = model.get(name);
  if (!data?.byteLength) return [];
  const bytes = dataView(data);
  const groups = [];
  for (let at = 0; at + 4 * size <= bytes.byteLength; at += 4 * size) {
    groups.push(Array.from({ length: size }, (_, place) => bytes.getFloat32(at + 4 * place, true)));
  }
  return groups.filter((group) => group.every(Number.isFinite));
}
