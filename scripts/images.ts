// Builds all programs that the tests run in the VM, those of the firmware and of test/src, in one process.
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { buildAll, mainPrograms, projectDir } from "../devicescript/build.ts"

const ofTests = readdirSync(join(projectDir, "test/src")).filter(file => file.endsWith(".ts"))
await buildAll([...(await mainPrograms()), ...ofTests.map(file => `test/src/${file}`)])
