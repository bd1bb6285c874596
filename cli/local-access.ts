import { join } from "node:path"
import { Type } from "@sinclair/typebox"
import { LocalAccess } from "../clinic/index.ts"
import { withAccess } from "./clinic-api.ts"

/** How to reach the clinic of a data folder as its administrator; undefined where it does not run. */
export async function localAccess(data: string) {
    const folder = join(data, "clinic")
    const access = new LocalAccess(folder).read()
    if (!access) return undefined
    const known = { ...access, ca: join(folder, "ca.pem"), isOwn: true }
    const answers = await withAccess(known, async api => {
        await api.call("GET", "/api/me", Type.Object({}))
        return true
    }).catch(() => false)
    return answers ? known : undefined
}
