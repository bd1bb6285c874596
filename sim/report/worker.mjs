// One run of a comparison, in its own process. The TypeScript sources run directly.
import { register } from "tsx/esm/api"

register()
await import("./worker.ts")
