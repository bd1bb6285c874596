// One run of a comparison, in its own process.
import { load } from "../../host/compiled.mjs"

await load("sim/report/worker.ts")
