// Written by scripts/build-date.mjs, which `npm version` runs.

/** The version that the date belongs to. */
export const buildVersion = "0.1.0"

/** The date of this version, as Unix time in milliseconds. A clock that shows an earlier date is wrong. */
export const buildDateMs = Date.parse("2026-11-30")
