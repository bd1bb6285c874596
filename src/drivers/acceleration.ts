/** Counts of an accelerometer per g, within 2.5 % for either chip: 0.25 and 0.244 mg a count at ±8 g. */
export const countsPerG = 4096
/** Bytes of a sample: x, y and z, s16 little-endian each. */
export const accelerationBytes = 6
