/**
 * The date of this version, as Unix time in milliseconds. Each release raises it. A clock that shows an earlier date is
 * wrong.
 */
export const buildDateMs = Date.UTC(2026, 10, 30)
