// npm start: sets up what is missing, then runs `vitalmote up` with the given arguments.
import { projectDir, setUp } from "./setup.mjs"

setUp()
process.chdir(projectDir)
process.argv.splice(2, 0, "up")
await import("../cli/vitalmote.mjs")
