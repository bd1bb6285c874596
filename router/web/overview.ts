import { h } from "../../browser/dom.ts"
import type { ClinicStatus, MoteStatus, RouterState } from "../browser/messages.ts"
import { faultsOf } from "./faults.ts"
import { ago } from "./format.ts"
import { networkView } from "./network-view.ts"
import { table } from "./table.ts"
import { outcomeText, refusals, waitingNames } from "./words.ts"

/** What is wrong comes first, then the motes, what waits for them, and the network. */
export class Overview {
    private readonly faults = h("section", { class: "faults", "aria-label": "What is wrong", "aria-live": "polite" })
    private readonly clinics = h("section", { "aria-label": "Clinics" })
    private readonly motes = h("section", { "aria-label": "All motes" })
    private readonly waiting = h("section", { "aria-label": "Waiting for motes" })
    private readonly network = h("section", { "aria-label": "Network" })
    readonly element = h(
        "div",
        { class: "overview" },
        ...[this.faults, this.clinics, this.motes, this.waiting, this.network],
    )

    update(state: RouterState): void {
        const rows = state.motes.flatMap(waitingRows)
        const { network } = state
        show(this.faults, [faultList(state)])
        show(this.clinics, state.clinics.length < 2 ? [] : [h("h2", {}, "Clinics"), clinicsTable(state.clinics)])
        show(this.motes, [h("h2", {}, "Motes"), motesTable(state.motes)])
        show(this.waiting, rows.length === 0 ? [] : waitingTable(rows))
        show(this.network, network ? [h("h2", {}, "Network"), networkView(network, state.motes)] : [])
    }
}

/** Replaces what a section shows only if it differs, so that nobody is told again; what its reader has opened stays open. */
function show(section: HTMLElement, parts: HTMLElement[]): void {
    const isOpen = section.querySelector("details")?.open ?? false
    const details = parts.map(part => part.querySelector("details")).find(found => found)
    if (details) details.open = isOpen
    const isSame = section.innerHTML === parts.map(({ outerHTML }) => outerHTML).join("")
    if (!isSame) section.replaceChildren(...parts)
}

function faultList(state: RouterState): HTMLElement {
    const faults = faultsOf(state)
    const items = faults.map(({ level, what, advice }) =>
        h("li", { "data-level": level }, h("strong", {}, what), h("span", {}, advice)),
    )
    const waiting = state.stats.outbox ?? 0
    const now = `${waiting === 0 ? "Nothing waits" : `${waiting} envelopes wait`} for ${state.clinics.length > 1 ? "any clinic" : "the clinic"}`
    return faults.length === 0 ? h("p", { class: "well" }, `All is well. ${now}.`) : h("ul", {}, ...items)
}

function clinicsTable(clinics: ClinicStatus[]): HTMLElement {
    const stateOf = ({ state, retryInMs }: ClinicStatus) =>
        state === "retrying"
            ? `tried again in ${ago(retryInMs ?? 0)}`
            : state === "idle"
              ? "all delivered"
              : "delivering"
    return table(
        ["clinic", "motes", "delivery", "last answer", "waiting", "oldest", "dead letters"],
        clinics.map(clinic => [
            clinic.name,
            String(clinic.motes),
            stateOf(clinic),
            clinic.silentMs === null ? "" : `${ago(clinic.silentMs)} ago`,
            clinic.envelopes === 0 ? "none" : `${clinic.envelopes}, ${(clinic.bytes / 1024).toFixed(1)} KiB`,
            clinic.oldestMs === null ? "" : ago(clinic.oldestMs),
            String(clinic.deadLetters),
        ]),
    )
}

function motesTable(motes: MoteStatus[]): HTMLElement {
    if (motes.length === 0) return h("p", { class: "dim" }, "No mote has sent anything since the router’s start.")
    const columns: [head: string, cell: (mote: MoteStatus) => string][] = [
        ["mote", ({ eui }) => eui],
        ["by", transportOf],
        ["from", ({ address }) => address ?? ""],
        ["connected", ({ connectedMs }) => (connectedMs === null ? "" : ago(connectedMs))],
        ["last envelope", ({ silentMs }) => (silentMs === null ? "none yet" : `${ago(silentMs)} ago`)],
        ["a minute", ({ perMinute }) => String(perMinute)],
        ["stored", ({ stored }) => String(stored)],
        ["refused in its name", refusedOf],
        ["in the outbox", ({ outboxBytes }) => (outboxBytes === 0 ? "" : `${(outboxBytes / 1024).toFixed(1)} KiB`)],
    ]
    const used = columns.filter(([, cell]) => motes.some(mote => cell(mote) !== ""))
    return table(
        used.map(([head]) => head),
        motes.map(mote => used.map(([, cell]) => cell(mote))),
    )
}

function refusedOf({ refused }: MoteStatus): string {
    const counts = Object.entries(refused).map(([reason, count]) => `${count} ${refusals[reason] ?? reason}`)
    return counts.join(", ")
}

function transportOf({ transport }: MoteStatus): string {
    if (transport === null) return "not connected"
    return transport === "coap" ? "CoAP" : "MQTT"
}

function waitingRows({ eui, waiting, transport }: MoteStatus): string[][] {
    return waiting.map(({ what, bytes, ageMs, expiresInMs, outcome }) => [
        ...[eui, waitingNames[what]!, `${bytes} bytes`, ago(ageMs)],
        expiresInMs === null ? "never" : `in ${ago(expiresInMs)}`,
        transport === null ? "is sent when the mote is awake" : outcomeText(outcome),
    ])
}

function waitingTable(rows: string[][]): HTMLElement[] {
    return [h("h2", {}, "Waiting for motes"), table(["mote", "what", "size", "waits for", "expires", "state"], rows)]
}
