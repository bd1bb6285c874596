import { h, setText } from "../../browser/dom.ts"
import type { Asked, Method, ShownOption } from "../browser/messages.ts"
import { OptionRows } from "./option-rows.ts"
import { toHex, uintHex, type Notation } from "./payload.ts"

const contentFormats: [number, string][] = [
    [0, "text/plain"],
    [17, "application/cose (sealed)"],
    [40, "application/link-format"],
    [42, "application/octet-stream"],
    [50, "application/json"],
    [60, "application/cbor"],
    [112, "application/senml+cbor"],
]
const methods: Method[] = ["GET", "PUT", "POST", "DELETE"]
const acceptNumber = 17
const contentFormatNumber = 12

/** What the form does: a request is sent, a resource is observed, the request is wanted as a command line. */
export interface FormActions {
    send(asked: Asked): void
    observe(asked: Asked): void
    copy(asked: Asked): void
}

/** The request to be sent: path, options and payload, and one button a method. */
export class RequestForm {
    readonly element: HTMLFormElement
    private readonly path = h("input", { id: "path", autocomplete: "off", spellcheck: "false", required: "" })
    private readonly pathLabel = h("label", { for: "path" }, "Path at this router")
    private readonly accept = choice("accept", "any")
    private readonly contentFormat = choice("content-format", "none")
    private readonly payload = h("textarea", { id: "payload", rows: "3", spellcheck: "false" })
    private readonly notation = h(
        "select",
        { id: "notation" },
        h("option", { value: "text" }, "text"),
        h("option", { value: "hex" }, "hex"),
    )
    private readonly options = new OptionRows()
    private readonly changing: HTMLButtonElement[] = []
    private readonly fault = h("p", { class: "fault", role: "alert", hidden: "" })

    constructor(actions: FormActions) {
        const button = (text: string, act: (asked: Asked) => void, method: Method = "GET") => {
            const element = h("button", { type: "button" }, text)
            element.addEventListener("click", () => this.use(method, act))
            if (method !== "GET") this.changing.push(element)
            return element
        }
        this.path.value = "/.well-known/core"
        this.element = h(
            "form",
            { class: "request", "aria-label": "Request" },
            h("div", { class: "field" }, this.pathLabel, this.path),
            h(
                "div",
                { class: "row buttons" },
                ...methods.map(method => button(method, asked => actions.send(asked), method)),
                button("Observe", asked => actions.observe(asked)),
                button("Copy as coap-client", asked => actions.copy(asked)),
            ),
            this.fault,
            h(
                "details",
                {},
                h("summary", {}, "Payload and options"),
                h(
                    "div",
                    { class: "row" },
                    field("accept", "Accept", this.accept),
                    field("content-format", "Content-Format", this.contentFormat),
                    field("notation", "Payload in", this.notation),
                ),
                field("payload", "Payload of PUT and POST", this.payload),
                this.options.element,
            ),
        )
        this.element.addEventListener("submit", event => {
            event.preventDefault()
            this.use("GET", asked => actions.send(asked))
        })
    }

    /** Whether the user may send requests that may change a mote. */
    allow(mayChange: boolean): void {
        for (const button of this.changing) {
            button.disabled = !mayChange
            button.title = mayChange ? "" : "Your account may only look."
        }
    }

    /** Whether other servers may be asked. */
    takesUris(mayAsk: boolean): void {
        setText(this.pathLabel, mayAsk ? "Path at this router, or URI of another server" : "Path at this router")
    }

    setPath(path: string): void {
        this.path.value = path
    }

    /** Fills in an earlier request. */
    fill({ path, options, payload }: Asked): void {
        const valueOf = (number: number) => options.find(option => option.number === number)?.value
        const uint = (hex: string | undefined) => (hex === undefined ? "" : String(parseInt(hex || "0", 16)))
        this.path.value = path
        this.accept.value = uint(valueOf(acceptNumber))
        this.contentFormat.value = uint(valueOf(contentFormatNumber))
        this.notation.value = "hex"
        this.payload.value = payload
        this.options.fill(options.filter(({ number }) => number !== acceptNumber && number !== contentFormatNumber))
    }

    private use(method: Method, act: (asked: Asked) => void): void {
        let asked: Asked
        try {
            asked = this.asked(method)
        } catch (error) {
            this.complain((error as Error).message)
            return
        }
        this.complain("")
        act(asked)
    }

    complain(text: string): void {
        this.fault.textContent = text
        this.fault.hidden = text === ""
    }

    private asked(method: Method): Asked {
        const path = this.path.value.trim()
        if (!/^(\/|coap(\+tcp)?:\/\/)/.test(path))
            throw new Error("A path starts with /, a URI with coap:// or coap+tcp://.")
        const hasPayload = method === "PUT" || method === "POST"
        const options: ShownOption[] = []
        const add = (number: number, chosen: string) =>
            chosen !== "" && options.push({ number, value: uintHex(Number(chosen)) })
        add(acceptNumber, this.accept.value)
        if (hasPayload) add(contentFormatNumber, this.contentFormat.value)
        options.push(...this.options.read())
        const payload = hasPayload ? toHex(this.payload.value, this.notation.value as Notation) : ""
        return { method, path, options, payload }
    }
}

function choice(id: string, none: string): HTMLSelectElement {
    return h(
        "select",
        { id },
        h("option", { value: "" }, none),
        ...contentFormats.map(([number, name]) => h("option", { value: String(number) }, `${number} ${name}`)),
    )
}

function field(id: string, label: string, input: HTMLElement): HTMLElement {
    return h("div", { class: "field" }, h("label", { for: id }, label), input)
}
