import { readFileSync } from "node:fs"
import { Agent, fetch } from "undici"
import { UserError } from "../host/errors.ts"
import type { Credentials } from "./credentials.ts"

const pollMs = 250

/**
 * Resolves as soon as a doctor's client can read an Observation from after `since`. The first ones have no heart rate,
 * which needs 8 s of signal.
 * @throws UserError if there is none within `timeoutMs`
 */
export async function firstVisibleReading(credentials: Credentials, since: Date, timeoutMs: number): Promise<void> {
    const { clinic, ca, doctor } = credentials
    const dispatcher = new Agent({ connect: { ca: readFileSync(ca, "utf8") } })
    const search = `/fhir/Observation?date=ge${since.toISOString()}&_count=1`
    const giveUp = Date.now() + timeoutMs
    try {
        for (;;) {
            const response = await fetch(clinic + search, {
                dispatcher,
                headers: { authorization: `Bearer ${doctor.token}` },
            })
            const bundle = (await response.json()) as { entry?: unknown[] }
            if (response.ok && bundle.entry?.length) return
            if (Date.now() > giveUp) throw new UserError("no reading reached the clinic")
            await new Promise(resolve => setTimeout(resolve, pollMs))
        }
    } finally {
        await dispatcher.close()
    }
}
