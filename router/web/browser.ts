import { h } from "../../browser/dom.ts"
import type { Answered, Asked, RouterState, ShownLink } from "../browser/messages.ts"
import { ask } from "./api.ts"
import { coapClientCall } from "./coap-client.ts"
import { ObservationLog } from "./observation-log.ts"
import { Records } from "./records.ts"
import { RequestForm } from "./request-form.ts"
import { linkList, responseView } from "./response-view.ts"

/** The CoAP browser: what is chosen is asked what it serves, and requests are sent and their responses shown. */
export class CoapBrowser {
    readonly resources = h("section", { "aria-label": "Resources" })
    readonly form = new RequestForm({
        send: asked => void this.send(asked),
        observe: ({ path }) => this.observe(path),
        copy: asked => this.copy(asked),
    })
    readonly result = h("section", { class: "result", "aria-label": "Response", "aria-live": "polite" })
    readonly records = new Records((asked, answered) => {
        this.form.fill(asked)
        this.show(responseView(answered, this.follow))
    })
    /** What stands before the paths of what is browsed: "" for the router itself, `/m/<eui>` for a mote, or `coap://host:port`. */
    private base = ""
    private coapPort: number | null = null
    private observation: ObservationLog | undefined

    update({ coapPort, visitor, targets }: RouterState): void {
        this.coapPort = coapPort
        this.form.takesUris(targets !== null)
        this.form.allow(visitor?.right !== "look")
    }

    /** Asks what there is at `base`, RFC 7252 §7.2. */
    async discover(base: string): Promise<void> {
        this.base = base
        const asked: Asked = { method: "GET", path: `${base}/.well-known/core`, options: [], payload: "" }
        this.form.setPath(asked.path)
        const answered = await this.send(asked)
        if (base !== this.base) return // another one was chosen meanwhile
        const links = answered?.decoded.kind === "links" ? answered.decoded.links : []
        this.resources.replaceChildren(h("h2", {}, "Resources"), linkList(links, this.follow))
    }

    /** Nothing is observed any more. */
    stop(): void {
        this.observation?.stop()
        this.observation = undefined
    }

    /** Sends a request and shows its response. Undefined if there is none, which is said. */
    private async send(asked: Asked): Promise<Answered | undefined> {
        this.show(h("p", { class: "dim" }, `${asked.method} ${asked.path} …`))
        try {
            const answered = await ask(asked)
            this.records.add(asked, answered)
            this.show(responseView(answered, this.follow))
            return answered
        } catch (error) {
            this.show(h("p", { class: "fault", role: "alert" }, `Not sent: ${(error as Error).message}`))
            return undefined
        }
    }

    private observe(path: string): void {
        const log = new ObservationLog(path, this.follow)
        this.show(log.element)
        this.observation = log
    }

    /** What was observed before is not observed any more. */
    private show(element: HTMLElement): void {
        this.stop()
        this.result.replaceChildren(element)
    }

    /** Follows a link: by its path at what is browsed, `coap+tcp://<eui>/…` by its place at this router, or by its own URI. */
    private readonly follow = ({ target }: ShownLink): void => {
        const absolute = /^coap(?:\+tcp)?:\/\/([0-9a-f]{16})(\/.*)?$/.exec(target)
        const path = absolute
            ? `/m/${absolute[1]!}${absolute[2] ?? ""}`
            : /^coap(\+tcp)?:\/\//.test(target) || (target.startsWith("/m/") && !this.base.startsWith("coap"))
              ? target
              : `${this.base}${target.startsWith("/") ? "" : "/"}${target}`
        this.form.setPath(path)
        const isCollection = /^\/m\/[0-9a-f]{16}$/.test(path)
        const asked: Asked = {
            ...{ method: "GET", options: [], payload: "" },
            path: isCollection ? `${path}/.well-known/core` : path,
        }
        void this.send(asked)
    }

    private copy(asked: Asked): void {
        const call = coapClientCall(asked, location.hostname, this.coapPort)
        const text = call ?? "This router serves no CoAP."
        const box = h("pre", { class: "call", tabindex: "0" }, text)
        this.show(h("div", {}, h("p", { class: "dim", role: "status" }, "The same by libcoap’s client:"), box))
        // On a page without TLS browsers offer no clipboard; the text stands there to be selected.
        if (call) void navigator.clipboard?.writeText(call).catch(() => {})
        getSelection()?.selectAllChildren(box)
    }
}
