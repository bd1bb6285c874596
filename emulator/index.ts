/* The emulator's public entry: what the command line uses of it. */

export type { BoardEvent } from "./board.ts"
export { readRuntime } from "./definition.ts"
export { runBoard } from "./pace.ts"
export { reportOf, reportText } from "./report.ts"
export { siliconStarter } from "./scenario-mote.ts"
export { SiliconMote, routerName } from "./silicon-mote.ts"
