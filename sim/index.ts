/* The simulator's public interface, for the command line and the benchmarks. */

export * from "./body/index.ts"
export { writeWiresharkProfile } from "./capture/wireshark.ts"
export {
    accelerometers,
    thermometers,
    wearableChips,
    type AccelerometerName,
    type ThermometerName,
} from "./devices/chips.ts"
export { faultKinds, faultyChips, type Fault } from "./devices/faults.ts"
export { Max30102 } from "./devices/max30102.ts"
export { DevtoolsBridge } from "./jacdac/devtools.ts"
export { estimate, type Estimate } from "./mote/estimate.ts"
export { hostNetwork } from "./mote/host-network.ts"
export { startLiveMote } from "./mote/live-mote.ts"
export { Mote } from "./mote/mote.ts"
export { runProgram } from "./mote/program.ts"
export { compare, type CompareOptions } from "./report/compare.ts"
export type { Comparison, Outcome } from "./report/pool.ts"
export type { Verdict } from "./run/judge.ts"
export { isAnyAsked, type Questions } from "./run/questions.ts"
export { runScenario, withSimulation, type RunState } from "./run/run.ts"
export { serveSimulation } from "./run/service.ts"
export { Simulation } from "./run/simulation.ts"
export type { Summary } from "./run/summary.ts"
export { loadScenario, nodesOf, shippedScenarios } from "./scenario/load.ts"
export { contextsOf } from "./scenario/plan.ts"
export type { Scenario } from "./scenario/schema.ts"
export { VirtualClock } from "./time/clock.ts"
export { pipe } from "./time/pipe.ts"
export { seededNormal, seededRandom } from "./time/random.ts"
