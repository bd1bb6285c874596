// A thread of the simulator.
import { load } from "../../host/compiled.mjs"

await load("sim/threads/thread.ts")
