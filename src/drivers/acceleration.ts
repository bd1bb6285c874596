/** Counts of an accelerometer per g, within 2.5 % for both chips: 0.25 and 0.244 mg per count at ±8 g. */
export const countsPerG = 4096
/** Bytes of a sample: x, y and z, each s16 little-endian. */
export const accelerationBytes = 6
