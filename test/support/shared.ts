import { existsSync } from "node:fs"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { projectDir } from "../../devicescript/build.ts"

/**
 * The path of a recording or capture in the folder `shared` beside the checkout, which does not come with a clone; skips
 * the test where it is not there.
 */
export function sharedFile(t: TestContext, name: string): string | undefined {
    const path = join(projectDir, "../shared", name)
    if (existsSync(path)) return path
    t.skip(`needs ../shared/${name}: NOT tested`)
    return undefined
}
