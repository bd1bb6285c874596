import { join } from "node:path"
import type { Clock, Timer } from "../../host/clock.ts"
import { readIfThere, writeDurably } from "../../host/files.ts"
import type { Log } from "../../host/log.ts"
import { StoreFailure } from "../store/failure.ts"
import type { Audit } from "./audit.ts"
import { anchorName, parseHead } from "./head.ts"

/** A disk that takes nothing keeps nobody from looking, at the start neither. */
export async function openAudit(audit: Audit, data: string, log: Log): Promise<void> {
    const anchor = parseHead(readIfThere(join(data, anchorName))?.toString() ?? "")
    await audit.open(anchor).catch((error: Error) => {
        if (!(error instanceof StoreFailure)) throw error
        log.error({ reason: error.message }, "the audit record cannot be written")
    })
}

const anchorMs = 3_600_000

/** Says in the log and in a file beside the database how far the audit record is: whoever has only the database cannot cut it. */
export function anchorAudit(
    audit: Audit,
    { data, clock, log }: { data: string; clock: Clock; log: Log },
): { stop(): Promise<void> } {
    let timer: Timer
    const anchor = async () => {
        try {
            const text = await audit.anchor()
            if (text !== undefined) writeDurably(join(data, anchorName), text + "\n", 0o600)
        } catch (error) {
            log.error({ reason: (error as Error).message }, "cannot write down the end of the audit record")
        }
    }
    let anchored = anchor()
    const wait = () => {
        timer = clock.setTimeout(() => {
            anchored = anchor()
            wait()
        }, anchorMs)
    }
    wait()
    return {
        stop: async () => {
            clock.clearTimeout(timer)
            await anchored
            await anchor()
        },
    }
}
