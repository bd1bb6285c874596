import { h, setText } from "../../browser/dom.ts"
import { Refused } from "./api.ts"
import { areRight, type Field } from "./fields.ts"
import { t } from "./texts/language.ts"

/**
 * A form of named fields, with what is wrong at each of them. `send` rejects where the clinic refuses; `places` says which field a
 * problem belongs to that names none.
 */
export class AdminForm {
    readonly element = h("form", { class: "admin-form", novalidate: "" })
    readonly state = h("p", { class: "admin-state", role: "status" })
    private readonly fields: Readonly<Record<string, Field>>
    private readonly button: HTMLButtonElement

    constructor(
        fields: Readonly<Record<string, Field>>,
        o: {
            button: string
            send: () => Promise<string>
            places?: Partial<Record<string, string>>
            more?: HTMLElement[]
        },
    ) {
        this.fields = fields
        this.button = h("button", {}, o.button)
        this.element.append(
            ...Object.values(fields).map(({ element }) => element),
            h("div", { class: "config-buttons" }, this.button, ...(o.more ?? [])),
            this.state,
        )
        this.element.addEventListener("submit", event => {
            event.preventDefault()
            void this.submit(o.send, o.places ?? {})
        })
    }

    private async submit(send: () => Promise<string>, places: Partial<Record<string, string>>): Promise<void> {
        setText(this.state, "")
        if (!areRight(Object.values(this.fields).filter(({ element }) => !element.hidden))) return
        this.button.disabled = true
        try {
            setText(this.state, await send())
        } catch (error) {
            this.refuse(error as Error, places)
        } finally {
            this.button.disabled = false
        }
    }

    private refuse(error: Error, places: Partial<Record<string, string>>): void {
        const problem = error instanceof Refused ? error.problem : undefined
        const [, place] = /^body\/(\w+)/.exec(problem?.place ?? "") ?? []
        const field = this.fields[place ?? places[problem?.code ?? ""] ?? ""]
        if (!field) return setText(this.state, t.admin.failed(error.message))
        field.say(place === undefined ? error.message : t.field.wrong)
        field.control.focus()
    }
}

/** A button in a row, which says for whom it is. */
export function rowButton(text: string, whose: string, work: () => Promise<void> | void): HTMLElement {
    const button = h("button", { type: "button", class: "quiet small", "aria-label": `${text}: ${whose}` }, text)
    button.addEventListener("click", () => void work())
    return button
}
