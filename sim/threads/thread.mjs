// A thread of the simulator. The sources are TypeScript and run as they are.
import { register } from "tsx/esm/api"

register()
await import("./thread.ts")
