/**
 * The day of this version, raised with each release: a clock that shows an earlier one is wrong. Unix time in milliseconds.
 */
export const buildDateMs = Date.UTC(2026, 10, 30)
