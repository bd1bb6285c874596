import { bench as mote } from "./mote.ts"
import { bench as router } from "./router.ts"
import type { Row } from "./row.ts"
import { bench as sensing } from "./sensing.ts"

/** All benchmarks of `vitalmote bench`, by name. */
export const benchmarks: Record<string, () => Promise<Row[]>> = { mote, sensing, router }
