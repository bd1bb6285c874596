/** What is asked about before somebody is admitted or moved: both happen, and both are mostly slips. */
export const doubles = ["patient-known", "bed-taken"] as const
export type Double = (typeof doubles)[number]
