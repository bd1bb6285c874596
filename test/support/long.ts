/** Whether `npm test -- --long` asked for searches in whole, not as a sample. */
export const isLong = process.env.VITALMOTE_LONG === "1"
