import { h, setText } from "../../browser/dom.ts"
import type { RouterState } from "../browser/messages.ts"
import { ago } from "./format.ts"
import { refusals } from "./words.ts"

/** The router itself and the motes that are connected; one of them is chosen. */
export class Targets {
    readonly element: HTMLElement
    /** The router's numbers. */
    readonly router: HTMLElement
    private readonly list = h("ul", { class: "targets" })
    private readonly facts = h("dl", { class: "facts" })
    private readonly status = h("p", { class: "fault", role: "alert", hidden: "" })
    private readonly chosen: (base: string) => void
    private shown = ""
    private base = ""

    /** @param chosen called with the path of what is chosen: "" for the router, `/m/<eui>` for a mote */
    constructor(chosen: (base: string) => void) {
        this.chosen = chosen
        this.element = h("section", { "aria-label": "Motes" }, h("h2", {}, "Motes"), this.status, this.list)
        this.router = h("section", { "aria-label": "Router" }, h("h2", {}, "Router"), this.facts)
    }

    update(state: RouterState): void {
        this.status.hidden = true
        const { stats } = state
        const motes = state.motes.filter(({ transport }) => transport === "coap")
        const key = motes.map(({ eui }) => eui).join(" ")
        if (key !== this.shown || this.list.childElementCount === 0) this.rebuild(motes.map(({ eui }) => eui))
        this.shown = key
        for (const { eui, silentMs, connectedMs } of motes) {
            const note = this.list.querySelector(`[data-eui="${eui}"] small`)
            if (note) setText(note, `envelope ${ago(silentMs ?? 0)} ago, connected for ${ago(connectedMs ?? 0)}`)
        }
        this.facts.replaceChildren(...facts(stats).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]))
    }

    /** The numbers are old now. */
    lost(): void {
        this.status.hidden = false
        setText(this.status, "The router is not reached: what is shown is old.")
    }

    private rebuild(euis: string[]): void {
        const item = (base: string, name: string, note: string) => {
            const button = h("button", { type: "button" }, h("span", {}, name), h("small", {}, note))
            button.addEventListener("click", () => {
                this.base = base
                this.mark()
                this.chosen(base)
            })
            return h("li", { "data-base": base, "data-eui": name }, button)
        }
        this.list.replaceChildren(
            item("", "this router", "its own resources"),
            ...euis.map(eui => item(`/m/${eui}`, eui, "")),
        )
        if (euis.length === 0) this.list.append(h("li", { class: "dim" }, "No mote is connected over CoAP."))
        this.mark()
    }

    private mark(): void {
        for (const item of this.list.querySelectorAll<HTMLElement>("[data-base]"))
            item.firstElementChild!.setAttribute("aria-pressed", String(item.dataset.base === this.base))
    }
}

/** The router's numbers, those of refusals only where there are some. */
function facts(stats: Record<string, number>): [name: string, value: string][] {
    const of = (name: string) => stats[name] ?? 0
    const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`
    const waiting = of("outbox") === 0 ? "empty" : `${of("outbox")} envelopes, ${kib(of("outboxBytes"))}`
    const dead = of("refusedByClinic")
    return [
        ["connections", `${of("connections")} CoAP, ${of("mqttMotes")} motes by MQTT`],
        ["stored since its start", `${of("stored")} envelopes, ${of("duplicate")} duplicates`],
        ...(of("contested") > 0
            ? [
                  ["with the nonce of another", `${of("contested")}: somebody else has a key of a mote`] as [
                      string,
                      string,
                  ],
              ]
            : []),
        ["waiting for the clinic", waiting],
        ...Object.entries(refusals)
            .filter(([name]) => of(name) > 0)
            .map(([name, words]): [string, string] => [`refused: ${words}`, String(of(name))]),
        ["dead letters", dead === 0 ? "none" : `${dead}: stop the router and run “vitalmote router dead-letters list”`],
    ]
}
