import type { ChildProcess } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import type { Profiler } from "node:inspector"
import { join } from "node:path"
import { timeByFunction } from "../profile.ts"
import type { Row } from "../row.ts"
import { answerOf } from "./peers.ts"

/** Functions with less of the time are not listed. */
const minShare = 0.01

/** The CPU profile of a server's main thread while `work` runs. */
export async function profileOf(server: ChildProcess, work: () => Promise<unknown>): Promise<Profiler.Profile> {
    server.send("profile")
    await work()
    const profile = answerOf<Profiler.Profile>(server)
    server.send("profile end")
    return await profile
}

/** Writes a profile for the tools of Chromium, and returns the functions in which most of the time went. */
export function writeProfile(folder: string, what: string, profile: Profiler.Profile): Row[] {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `${what.replace(/[^\w]+/g, "-")}.cpuprofile`), JSON.stringify(profile))
    return timeByFunction(profile)
        .filter(({ share }) => share >= minShare)
        .map(({ name, share }) => ({ what: `${what}: ${name}`, value: 100 * share, unit: "% of its main thread" }))
}
