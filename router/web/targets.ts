import { h, setText } from "../../browser/dom.ts"
import type { RouterState } from "../browser/messages.ts"
import { ago } from "./format.ts"
import { refusals } from "./words.ts"

/** The router itself, the motes that are connected, and other servers that were opened; one of them is chosen. */
export class Targets {
    readonly element: HTMLElement
    /** The router's numbers. */
    readonly router: HTMLElement
    private readonly list = h("ul", { class: "targets" })
    private readonly facts = h("dl", { class: "facts" })
    private readonly status = h("p", { class: "fault", role: "alert", hidden: "" })
    private readonly chosen: (base: string) => void
    private readonly uri = h("input", {
        ...{ id: "server", autocomplete: "off", spellcheck: "false", required: "" },
        placeholder: "coap://192.0.2.7:5683",
    })
    private readonly allowed = h("small", {})
    private readonly form = h(
        "form",
        { class: "server", "aria-label": "Another server", hidden: "" },
        h("label", { for: "server" }, "Another CoAP server"),
        h("div", { class: "row" }, this.uri, h("button", {}, "Open")),
        this.allowed,
    )
    private readonly servers = new Set<string>()
    /** Of the motes in the list; undefined before it is shown. */
    private euis: string[] | undefined
    private base = ""

    /** @param chosen called with what stands before paths of what is chosen: "" for the router, `/m/<eui>` for a mote, or a URI */
    constructor(chosen: (base: string) => void) {
        this.chosen = chosen
        this.element = h("section", { "aria-label": "Motes" }, h("h2", {}, "Motes"), this.status, this.list, this.form)
        this.form.addEventListener("submit", event => {
            event.preventDefault()
            this.open(this.uri.value.trim())
        })
        this.router = h("section", { "aria-label": "Router" }, h("h2", {}, "Router"), this.facts)
    }

    update(state: RouterState): void {
        this.status.hidden = true
        const { stats } = state
        const motes = state.motes.filter(({ transport }) => transport === "coap")
        this.form.hidden = state.targets === null
        setText(this.allowed, `allowed here: ${state.targets?.replaceAll(",", ", ") ?? "none"}`)
        const euis = motes.map(({ eui }) => eui)
        if (euis.join(" ") !== this.euis?.join(" ")) this.rebuild(euis)
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

    /** Chooses a server by its URI; a path in it is left out. */
    private open(text: string): void {
        const uri = /^(coap(?:\+tcp)?:\/\/[^/?#\s]+)/.exec(text)?.[1]
        this.uri.setCustomValidity(uri === undefined ? "A server is coap://host:port or coap+tcp://host:port." : "")
        if (uri === undefined) {
            this.uri.reportValidity()
            this.uri.addEventListener("input", () => this.uri.setCustomValidity(""), { once: true })
            return
        }
        this.servers.add(uri)
        this.base = uri
        this.uri.value = ""
        this.rebuild(this.euis ?? [])
        this.chosen(uri)
    }

    private rebuild(euis: string[]): void {
        this.euis = euis
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
            ...[...this.servers].map(uri => item(uri, uri, "another server")),
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
