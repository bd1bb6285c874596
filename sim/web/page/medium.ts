import { h } from "../../../browser/dom.ts"
import type { MediumField, MediumForm } from "../messages.ts"
import { order } from "./api.ts"
import type { Model } from "./model.ts"

/** A form to view and change the medium. */
export function mediumForm(model: Model): HTMLElement {
    const kind = h("select", { name: "kind" })
    const fields = h("div", {})
    const note = h("p", {}, "The scenario's own medium is a graph; one of these replaces it.")
    const form = h("form", {}, h("label", {}, "Medium", kind), fields, note, h("button", {}, "Change"))
    const summary = h("summary", { class: "quiet" }, "Medium")
    const box = h("details", { class: "medium" }, summary, form)
    let inputs: HTMLInputElement[] = []
    const chosen = (): MediumForm | undefined => model.hello?.media.find(one => one.kind === kind.value)
    const show = () => {
        const made = (chosen()?.fields ?? []).map(field => inputOf(field, model.medium[field.name]))
        inputs = made.map(({ input }) => input)
        fields.replaceChildren(...made.map(({ line }) => line))
    }
    kind.addEventListener("change", show)
    // Filled on `click`, because `toggle` comes later and would overwrite input.
    summary.addEventListener("click", () => {
        if (box.open || !model.hello) return
        const { media } = model.hello
        kind.replaceChildren(...media.map(one => h("option", { value: one.kind }, one.title)))
        const hasForm = media.some(one => one.kind === model.medium.kind)
        note.hidden = hasForm
        kind.value = hasForm ? model.medium.kind : media[0]!.kind
        show()
    })
    form.addEventListener("submit", event => {
        event.preventDefault()
        const body: Record<string, string | number> = { kind: kind.value }
        for (const { name, value } of inputs) if (value) body[name] = Number(value)
        void order("/api/medium", body)
        box.open = false
    })
    return box
}

function inputOf(field: MediumField, value: unknown): { input: HTMLInputElement; line: HTMLElement } {
    const { name, title, min, max, step, fallback, empty = "" } = field
    const limits = { min: String(min), max: String(max), step: String(step) }
    const input = h("input", { type: "number", name, ...limits })
    input.required = fallback !== undefined
    if (!input.required) input.placeholder = empty
    input.value = String(typeof value === "number" ? value : (fallback ?? ""))
    return { input, line: h("label", {}, title, input) }
}
