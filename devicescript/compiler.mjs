// A process with DeviceScript's compiler, which builds the programs that its parent names, one after another. Most of a
// build's time is loading and warming up the compiler, which happens once here.
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

const require = createRequire(import.meta.url)
const manifest = require.resolve("@devicescript/cli/package.json")
const cli = require(join(dirname(manifest), "built/devicescript-cli.cjs"))
let isBuilding = false

process.on("message", entry => {
    isBuilding = true
    process.argv = [process.argv[0], "devicescript", "--ci", "--no-colors", "build", entry]
    // The tool does not report completion, but the process then has nothing left to do. A program with errors ends the
    // process.
    process.channel.unref()
    cli.mainCli()
})

process.on("beforeExit", () => {
    if (!isBuilding) return
    isBuilding = false
    process.channel.ref()
    process.send("done")
})
