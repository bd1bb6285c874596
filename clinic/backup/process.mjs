// Makes one backup that its parent asks for, in a process of its own. The sources are TypeScript and run as they are.
import { register } from "tsx/esm/api"

register()
await import("./process.ts")
