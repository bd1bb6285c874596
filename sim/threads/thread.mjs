// A thread of the simulator. The TypeScript sources run directly.
import { register } from "tsx/esm/api"

register()
await import("./thread.ts")
