import { mrhof } from "./mrhof.ts"
import type { ObjectiveFunction } from "./objective.ts"
import { of0 } from "./of0.ts"

/** The objective functions that a scenario can choose, by name. */
export const objectives = { mrhof, of0 } satisfies Record<string, ObjectiveFunction>
