import type { ClinicStatus, MoteStatus, RouterState } from "../browser/messages.ts"
import { ago } from "./format.ts"
import { deadLetterAdvice, refusalAdvice, refusals } from "./words.ts"

/** Something that is wrong, and what to do. */
export interface Fault {
    level: "bad" | "warn"
    what: string
    advice: string
}

/** The clinic answers at least every ten seconds. */
const clinicSilentMs = 60_000
/** A mote sends about every ten seconds. */
const moteSilentMs = 120_000
const moteGoneMs = 3_600_000
/** Refusals that are longer ago are history. */
const refusedMs = 600_000
const nearlyFull = 0.8

/** What is wrong, the worst first; empty where nothing is. */
export function faultsOf(state: RouterState): Fault[] {
    const faults = [...routerFaults(state), ...state.motes.flatMap(moteFaults), ...letterFaults(state)]
    return [...faults.filter(({ level }) => level === "bad"), ...faults.filter(({ level }) => level === "warn")]
}

function routerFaults(state: RouterState): Fault[] {
    const { failure, clinics, conflicts, ownerless, stats, maxOutboxBytes } = state
    const faults: Fault[] = []
    if (failure !== null)
        faults.push({
            level: "bad",
            what: `Nothing can be stored: ${failure}.`,
            advice: "Motes keep their readings for 30 minutes. Make room on the disk, and look at the router’s log.",
        })
    faults.push(...clinics.flatMap(clinic => clinicFaults(clinic, state)))
    for (const { eui, clinics: names } of conflicts)
        faults.push({
            level: "bad",
            what: `Mote ${eui} is known to ${names.join(" and to ")}: its readings go to ${names[0]!} only.`,
            advice: "Revoke it at the clinic that it does not belong to, or say with “motes” in the file of --clinics whose it is.",
        })
    if (ownerless > 0)
        faults.push({
            level: "warn",
            what: `${ownerless} envelopes wait whose motes belong to none of the clinics.`,
            advice: "They are delivered when a clinic of the file of --clinics knows the motes. Has one been taken out of it?",
        })
    if (maxOutboxBytes !== null && (stats.outboxBytes ?? 0) > nearlyFull * maxOutboxBytes)
        faults.push({
            level: "bad",
            what: `The outbox is ${Math.round((100 * (stats.outboxBytes ?? 0)) / maxOutboxBytes)} % full.`,
            advice: "When it is full, motes wait. Bring the clinic back, or start the router with a larger --max-outbox.",
        })
    const contested = stats.contested ?? 0
    if (contested > 0)
        faults.push({
            level: "bad",
            what: `${contested} envelopes had a number that another one had used: somebody besides a mote has one of its keys.`,
            advice: "The router’s log names the mote. Tell whoever is responsible for security, and rotate the mote’s secret.",
        })
    return faults
}

function clinicFaults(clinic: ClinicStatus, { clinics, maxOutboxBytes }: RouterState): Fault[] {
    const { name, silentMs, reason, oldestMs, envelopes, bytes } = clinic
    const faults: Fault[] = []
    const called = name === "" ? "The clinic" : `The clinic ${name}`
    if (clinic.state === "retrying" || (silentMs !== null && silentMs > clinicSilentMs)) {
        const since = silentMs === null ? "" : ` for ${ago(silentMs)}`
        const why = reason === null ? "" : ` (${reason})`
        const oldest = oldestMs === null ? "" : `, the oldest for ${ago(oldestMs)}`
        faults.push({
            level: "bad",
            what: `${called} has not answered${since}${why}. ${envelopes} envelopes wait${oldest}.`,
            advice: "Nothing is lost: all of it is delivered when the clinic is back. Does it run, and is its network there?",
        })
    }
    if (clinics.length > 1 && maxOutboxBytes !== null && bytes > (nearlyFull * maxOutboxBytes) / clinics.length)
        faults.push({
            level: "bad",
            what: `${called} has ${Math.round((100 * clinics.length * bytes) / maxOutboxBytes)} % of its share of the outbox in use.`,
            advice: "When it is full, its motes wait; those of the others do not. Bring it back, or give a larger --max-outbox.",
        })
    const error = clinic.clockErrorMs ?? 0
    if (error !== 0)
        faults.push({
            level: "warn",
            what: `This machine’s clock is ${ago(Math.abs(error))} ${error > 0 ? "ahead of" : "behind"} ${name === "" ? "the clinic’s" : `that of ${name}`}.`,
            advice: "Motes get the clinic’s time all the same. Set up NTP on this machine.",
        })
    return faults
}

function moteFaults(mote: MoteStatus): Fault[] {
    const { eui, transport, silentMs, refused, refusedAgoMs } = mote
    const faults: Fault[] = []
    if (silentMs !== null && silentMs > moteSilentMs && (transport !== null || silentMs < moteGoneMs))
        faults.push({
            level: "warn",
            what: `Mote ${eui} has sent nothing for ${ago(silentMs)}${transport === null ? ", and is not connected" : ""}.`,
            advice: "Is it charged, switched on and in reach? It keeps its readings for 30 minutes.",
        })
    if (refusedAgoMs !== null && refusedAgoMs < refusedMs)
        for (const [reason, count] of Object.entries(refused)) {
            const advice = refusalAdvice[reason]
            if (advice === undefined) continue
            const what = `Mote ${eui}: ${count} refused, ${refusals[reason] ?? reason}, last ${ago(refusedAgoMs)} ago.`
            faults.push({ level: "warn", what, advice })
        }
    return faults
}

function letterFaults({ deadLetters, stats }: RouterState): Fault[] {
    const total = stats.refusedByClinic ?? 0
    const counted = deadLetters.reduce((sum, { count }) => sum + count, 0)
    return deadLetters.map(({ reason, count, motes }) => ({
        level: reason === "altered" || reason === "nonce-reused" ? "bad" : "warn",
        what:
            `Dead letters, ${reason}: ${count}${total > counted ? ` of the oldest ${counted}` : ""}, ` +
            `from ${motes.length === 1 ? `mote ${motes[0]!}` : `${motes.length} motes`}.`,
        advice:
            (deadLetterAdvice[reason] ?? "The clinic’s log has more.") +
            " With the router stopped: vitalmote router dead-letters list.",
    }))
}
