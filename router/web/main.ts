import "./style.css"
import { h } from "../../browser/dom.ts"
import type { Answered, Asked, ShownLink } from "../browser/messages.ts"
import { ask, state } from "./api.ts"
import { coapClientCall } from "./coap-client.ts"
import { ObservationLog } from "./observation-log.ts"
import { Records } from "./records.ts"
import { RequestForm } from "./request-form.ts"
import { linkList, responseView } from "./response-view.ts"
import { Targets } from "./targets.ts"

const refreshMs = 2000

/** The path of what is browsed: "" for the router itself, `/m/<eui>` for a mote. */
let base = ""
let coapPort: number | null = null
let observation: ObservationLog | undefined

const resources = h("section", { "aria-label": "Resources" })
const result = h("section", { class: "result", "aria-label": "Response", "aria-live": "polite" })
const form = new RequestForm({ send: asked => void send(asked), observe: startObserving, copy })
const records = new Records((asked, answered) => {
    form.fill(asked)
    show(responseView(answered, follow))
})
const targets = new Targets(chosen => {
    base = chosen
    void discover()
})

document.body.append(
    h("header", {}, h("h1", {}, "VitalMote router"), h("p", {}, "CoAP browser of the motes that it serves")),
    h("nav", { "aria-label": "Motes and resources" }, targets.element, resources, targets.router),
    h("main", {}, form.element, result),
    h("aside", {}, records.element),
)
void refresh()
void discover()

async function refresh(): Promise<void> {
    try {
        const now = await state()
        coapPort = now.coapPort
        targets.update(now)
    } catch {
        targets.lost()
    }
    setTimeout(() => void refresh(), refreshMs)
}

/** Asks what there is, RFC 7252 §7.2. */
async function discover(): Promise<void> {
    const asked: Asked = { method: "GET", path: `${base}/.well-known/core`, options: [], payload: "" }
    form.setPath(asked.path)
    const of = base
    const answered = await send(asked)
    if (of !== base) return // another one was chosen meanwhile
    const links = answered?.decoded.kind === "links" ? answered.decoded.links : []
    resources.replaceChildren(h("h2", {}, "Resources"), linkList(links, follow))
}

/** Sends a request and shows its response. Undefined if there is none, which is said. */
async function send(asked: Asked): Promise<Answered | undefined> {
    show(h("p", { class: "dim" }, `${asked.method} ${asked.path} …`))
    try {
        const answered = await ask(asked)
        records.add(asked, answered)
        show(responseView(answered, follow))
        return answered
    } catch (error) {
        show(h("p", { class: "fault", role: "alert" }, `Not sent: ${(error as Error).message}`))
        return undefined
    }
}

function startObserving({ path }: Asked): void {
    const log = new ObservationLog(path, follow)
    show(log.element)
    observation = log
}

/** What was observed before is not observed any more. */
function show(element: HTMLElement): void {
    observation?.stop()
    observation = undefined
    result.replaceChildren(element)
}

/** Follows a link: of a mote by its own path, `coap+tcp://<eui>/…` by its place at this router. */
function follow({ target }: ShownLink): void {
    const absolute = /^coap(?:\+tcp)?:\/\/([0-9a-f]{16})(\/.*)?$/.exec(target)
    const path = absolute ? `/m/${absolute[1]!}${absolute[2] ?? ""}` : target.startsWith("/m/") ? target : base + target
    form.setPath(path)
    const isCollection = /^\/m\/[0-9a-f]{16}$/.test(path)
    const asked: Asked = {
        ...{ method: "GET", options: [], payload: "" },
        path: isCollection ? `${path}/.well-known/core` : path,
    }
    void send(asked)
}

function copy(asked: Asked): void {
    const call = coapClientCall(asked, location.hostname, coapPort)
    const text = call ?? "This router serves no CoAP."
    const box = h("pre", { class: "call", tabindex: "0" }, text)
    show(h("div", {}, h("p", { class: "dim", role: "status" }, "The same by libcoap’s client:"), box))
    // On a page without TLS browsers offer no clipboard; the text stands there to be selected.
    if (call) void navigator.clipboard?.writeText(call).catch(() => {})
    getSelection()?.selectAllChildren(box)
}
