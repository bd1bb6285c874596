// A process with DeviceScript's compiler in it: builds what its parent sends, one program after the other. Most of a build
// is loading the compiler and warming it up, which happens once here.
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

const require = createRequire(import.meta.url)
const manifest = require.resolve("@devicescript/cli/package.json")
const cli = require(join(dirname(manifest), "built/devicescript-cli.cjs"))
let isBuilding = false

process.on("message", entry => {
    isBuilding = true
    process.argv = [process.argv[0], "devicescript", "--ci", "--no-colors", "build", entry]
    // The tool does not say when it is done, but then nothing is left to do; a program that is wrong ends the process.
    process.channel.unref()
    cli.mainCli()
})

process.on("beforeExit", () => {
    if (!isBuilding) return
    isBuilding = false
    process.channel.ref()
    process.send("done")
})
