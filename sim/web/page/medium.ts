import { h } from "../../../browser/dom.ts"
import type { MediumChoice } from "../../scenario/medium-schema.ts"
import { order } from "./api.ts"
import type { Model } from "./model.ts"

type Kind = MediumChoice["kind"]

const kinds: [Kind, string][] = [
    ["disk", "Unit disk, loss grows with distance"],
    ["constant-loss", "Unit disk, the same loss everywhere"],
    ["shadowing", "Log-normal shadowing"],
]

interface Field {
    name: string
    label: string
    of: Kind[]
    /** Undefined: may be left empty. */
    fallback: number | undefined
    min: number
    max: number
    step: number
}

const disks: Kind[] = ["disk", "constant-loss"]
const fields: Field[] = [
    { name: "range", label: "Range (m)", of: disks, fallback: 50, min: 1, max: 10_000, step: 1 },
    {
        name: "interference",
        label: "Interference range (m)",
        of: disks,
        fallback: 100,
        min: 1,
        max: 10_000,
        step: 1,
    },
    {
        name: "tx",
        label: "Share that leaves the sender",
        of: disks,
        fallback: 1,
        min: 0,
        max: 1,
        step: 0.01,
    },
    {
        name: "rx",
        label: "Share that arrives at the edge",
        of: disks,
        fallback: 1,
        min: 0,
        max: 1,
        step: 0.01,
    },
    {
        name: "exponent",
        label: "Path loss exponent",
        of: ["shadowing"],
        fallback: 3,
        min: 1,
        max: 10,
        step: 0.1,
    },
    {
        name: "deviation",
        label: "Deviation (dB)",
        of: ["shadowing"],
        fallback: 4,
        min: 0,
        max: 30,
        step: 0.5,
    },
    {
        name: "power",
        label: "Transmit power (dBm)",
        of: ["shadowing"],
        fallback: 0,
        min: -50,
        max: 30,
        step: 1,
    },
    {
        name: "capture",
        label: "Captured when stronger by (dB)",
        of: [...disks, "shadowing"],
        fallback: undefined,
        min: 0.1,
        max: 100,
        step: 0.1,
    },
]

/** How radio waves carry, and a form to change it. */
export function mediumForm(model: Model): HTMLElement {
    const kind = h("select", { name: "kind" }, ...kinds.map(([value, text]) => h("option", { value }, text)))
    const inputs = fields.map(({ name, label, fallback, min, max, step }) => {
        const limits = { min: String(min), max: String(max), step: String(step) }
        const input = h("input", { type: "number", name, ...limits })
        input.required = fallback !== undefined
        if (!input.required) input.placeholder = "never"
        return { name, input, line: h("label", {}, label, input) }
    })
    const note = h("p", {}, "The scenario's own medium is a graph; one of these replaces it.")
    const form = h(
        "form",
        {},
        h("label", {}, "Medium", kind),
        ...inputs.map(({ line }) => line),
        note,
        h("button", {}, "Change"),
    )
    const summary = h("summary", { class: "quiet" }, "Medium")
    const box = h("details", { class: "medium" }, summary, form)
    const show = () => {
        fields.forEach(({ of }, i) => {
            const isUsed = of.includes(kind.value as Kind)
            inputs[i]!.line.hidden = !isUsed
            inputs[i]!.input.disabled = !isUsed
        })
    }
    kind.addEventListener("change", show)
    // At the click, not at `toggle`: that one comes later, and would undo what was typed meanwhile.
    summary.addEventListener("click", () => {
        if (box.open) return
        const { medium } = model
        const values = medium as unknown as Record<string, number | undefined>
        note.hidden = medium.kind !== "graph"
        kind.value = medium.kind === "graph" ? "disk" : medium.kind
        fields.forEach(({ name, fallback }, i) => {
            const isDefault = name === "interference" && values["range"] !== undefined
            const given = values[name] ?? (isDefault ? 2 * values["range"]! : (fallback ?? ""))
            inputs[i]!.input.value = String(given)
        })
        show()
    })
    form.addEventListener("submit", event => {
        event.preventDefault()
        const body: Record<string, string | number> = { kind: kind.value }
        for (const { name, input } of inputs) if (!input.disabled && input.value) body[name] = Number(input.value)
        void order("/api/medium", body)
        box.open = false
    })
    return box
}
