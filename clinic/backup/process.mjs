// Makes one backup that its parent asks for, in a process of its own.
import { load } from "../../host/compiled.mjs"

await load("clinic/backup/process.ts")
