// One run of a comparison, in a process of its own. The sources are TypeScript and run as they are.
import { register } from "tsx/esm/api"

register()
await import("./worker.ts")
