import { routerSilentMs, type RouterState } from "./routers.ts"
import type { StoreFailureKind } from "./store/failure.ts"

/** Something about the installation that makes what is shown wrong or incomplete; words are made where people read them. */
export type Condition =
    /** The router's clock is off by so much: negative where it is ahead. Times are corrected by that. */
    | { code: "router-clock"; router: string; offsetMs: number }
    /** The router came with a new store: what it had receipted and not delivered is gone. */
    | { code: "router-store-lost"; router: string; at: number }
    /** Nothing has been heard of the router for so long: its motes cannot be heard either. */
    | { code: "router-silent"; router: string; silentMs: number }
    /** Nothing can be stored. */
    | { code: "store-full" | "store-failed" }

/** A store that was lost is told of for so long. */
const lostMs = 7 * 86_400_000
const missedMs = 3 * 86_400_000
/** A router that was not heard for so long says nothing about its clock of today. */
const heardMs = 15 * 60_000

/** What is wrong at `now` (unix ms). */
export function conditionsOf(
    routers: readonly RouterState[],
    failure: StoreFailureKind | undefined,
    now: number,
): Condition[] {
    const conditions: Condition[] = []
    if (failure) conditions.push({ code: failure === "full" ? "store-full" : "store-failed" })
    for (const { name, heardAt, silentMs, clockOffsetMs, storeLostAt } of routers) {
        // One that was away for days is not missed any more: it was taken out of service.
        if (silentMs > routerSilentMs && Math.abs(now - heardAt) < missedMs)
            conditions.push({ code: "router-silent", router: name, silentMs: Math.round(silentMs) })
        if (clockOffsetMs !== null && clockOffsetMs !== 0 && Math.abs(now - heardAt) < heardMs)
            conditions.push({ code: "router-clock", router: name, offsetMs: clockOffsetMs })
        if (storeLostAt !== null && Math.abs(now - storeLostAt) < lostMs)
            conditions.push({ code: "router-store-lost", router: name, at: storeLostAt })
    }
    return conditions
}
