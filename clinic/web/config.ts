import {
    configHistory,
    configure,
    moteConfig,
    order,
    Refused,
    type CommandName,
    type ConfigField,
    type Configuration,
    type MoteConfiguration,
    type Settings,
    type Session,
} from "./api.ts"
import type { Refusal } from "../../wire/tables/refusals.ts"
import { unitText } from "../../wire/tables/quantities.ts"
import { h, setData, setText } from "../../browser/dom.ts"
import { dateTime, setting } from "./format.ts"
import { t } from "./texts/language.ts"

/** While a mote has not answered, and otherwise. */
const pendingPollMs = 2000
const restPollMs = 15_000

const columns = () => Object.values(t.config.columns)

/** The settings of a mote, with a form to change them; all versions and their outcome. */
export class ConfigView {
    readonly element: HTMLDetailsElement
    private readonly mote: string
    private readonly mayConfigure: boolean
    private readonly state = h("p", { class: "config-state", role: "status" })
    private readonly problem = h("p", { class: "problem", role: "alert" })
    private readonly form = h("form", { class: "config-form" })
    private readonly save = h("button", {}, t.config.save)
    private readonly history = h("tbody")
    private inputs: Map<string, HTMLInputElement | HTMLSelectElement> | undefined
    private known: MoteConfiguration | undefined
    private timer: number | undefined
    private isClosed = false

    constructor(mote: string, user: Session) {
        this.mote = mote
        this.mayConfigure = user.permissions.includes("configure")
        this.element = h(
            "details",
            { class: "config" },
            h("summary", {}, h("h2", {}, t.config.heading, h("code", {}, mote))),
            this.state,
            this.form,
            this.problem,
            h(
                "table",
                { class: "records" },
                h("caption", {}, t.config.versions),
                h("thead", {}, h("tr", {}, ...columns().map(name => h("th", {}, name)))),
                this.history,
            ),
        )
        this.element.addEventListener("toggle", () => void this.poll())
        this.form.addEventListener("submit", event => {
            event.preventDefault()
            void this.submit()
        })
    }

    close(): void {
        this.isClosed = true
        clearTimeout(this.timer)
    }

    /** Asks again and again while it is open, and there is somebody to see it. */
    private async poll(): Promise<void> {
        clearTimeout(this.timer)
        if (!this.element.open || this.isClosed) return
        try {
            this.show(await moteConfig(this.mote))
        } catch (error) {
            setText(this.state, t.config.notLoaded((error as Error).message))
        }
        const isPending = this.known?.newest?.state === "pending"
        const pauseMs = isPending ? pendingPollMs : restPollMs
        clearTimeout(this.timer)
        if (!this.isClosed) this.timer = window.setTimeout(() => void this.poll(), pauseMs)
    }

    private show(found: MoteConfiguration): void {
        const before = this.known
        this.known = found
        const { newest } = found
        setText(this.state, this.stateText(found))
        setData(this.state, "state", newest?.state ?? "none")
        // What somebody is typing is not overwritten; saving says when there is something newer.
        if (!this.inputs) this.build(found)
        else if (!this.isChanged(before!)) this.fill(found.settings)
        const isNew = before?.newest?.version !== newest?.version || before?.newest?.state !== newest?.state
        if (!before || isNew) void this.showHistory()
    }

    private build({ fields, router, settings }: MoteConfiguration): void {
        const inputs = new Map<string, HTMLInputElement | HTMLSelectElement>()
        this.inputs = inputs
        const add = (
            { name, label, description }: { name: string; label: string; description: string },
            input: HTMLInputElement | HTMLSelectElement,
            unit: string,
            hint: string,
        ) => {
            input.id = `config-${this.mote}-${name}`
            input.disabled = !this.mayConfigure
            const id = `${input.id}-hint`
            input.setAttribute("aria-describedby", id)
            inputs.set(name, input)
            this.form.append(
                h(
                    "div",
                    { class: "config-field", "data-field": name },
                    h("label", { for: input.id }, t.config.field(name, label)),
                    h("span", { class: "config-value" }, input, unit),
                    h(
                        "span",
                        { class: "config-hint", id },
                        t.config.hint(hint, t.config.description(name, description)),
                        h("code", {}, name),
                    ),
                ),
            )
        }
        for (const field of fields) add(field, inputFor(field), unitOf(field), hint(field))
        const text = h("input", {
            ...{ type: "text", maxlength: String(router.maxBytes), spellcheck: "false" },
        })
        add(router, text, "", t.config.usuallyEmpty)
        this.fill(settings)
        if (this.mayConfigure) this.form.append(this.buttons())
    }

    private buttons(): HTMLElement {
        const blink = h("button", { type: "button", class: "quiet" }, t.config.blink)
        const clear = h("button", { type: "button", class: "quiet" }, t.config.discard)
        blink.addEventListener("click", () => void this.order("identify"))
        clear.addEventListener("click", () => {
            if (confirm(t.config.discardSure)) void this.order("clear")
        })
        return h("div", { class: "config-buttons" }, this.save, blink, clear)
    }

    private fill(settings: Settings): void {
        for (const [name, input] of this.inputs!) {
            const text = String(settings[name] ?? "")
            if (input.value !== text) input.value = text
        }
    }

    private values(): Settings {
        return Object.fromEntries(
            [...this.inputs!].map(([name, input]) => [
                name,
                name === this.known!.router.name ? input.value.trim() : Number(input.value),
            ]),
        )
    }

    private isChanged({ settings }: MoteConfiguration): boolean {
        return Object.entries(this.values()).some(([name, value]) => settings[name] !== value)
    }

    private async submit(): Promise<void> {
        const { known } = this
        if (!known) return
        if (!this.isChanged(known)) return setText(this.problem, t.config.unchanged)
        this.save.disabled = true
        try {
            await configure(this.mote, this.values(), known.newest?.version ?? 0)
            setText(this.problem, "")
            await this.poll()
        } catch (error) {
            const refusal = error instanceof Refused ? error.problem?.refusal : undefined
            setText(this.problem, t.config.notSaved(refusal ? this.plain(refusal) : (error as Error).message))
        } finally {
            this.save.disabled = false
        }
    }

    private async order(command: CommandName): Promise<void> {
        try {
            await order(this.mote, command)
            setText(this.problem, t.config.onItsWay)
        } catch (error) {
            setText(this.problem, t.config.notSent((error as Error).message))
        }
    }

    private async showHistory(): Promise<void> {
        const versions = await configHistory(this.mote).catch(() => undefined)
        if (!versions) return
        this.history.replaceChildren(
            ...versions.map((version, i) => {
                const { author, madeAt } = version
                const before = versions[i + 1]?.settings ?? this.defaults()
                const changes = Object.entries(version.settings)
                    .filter(([name, value]) => before[name] !== value)
                    .map(([name, value]) => t.config.change(this.label(name), this.shown(name, value)))
                const what = changes.length > 0 ? changes.join("; ") : t.config.noChange
                const outcome = this.became(version)
                return row(String(version.version), dateTime(madeAt), author, outcome, what)
            }),
        )
    }

    private defaults(): Settings {
        const fields = this.known!.fields.map(field => [field.name, field.default])
        const { name, default: usual } = this.known!.router
        return Object.fromEntries([...fields, [name, usual]]) as Settings
    }

    private label(name: string): string {
        const known = [this.known!.router, ...this.known!.fields].find(field => field.name === name)
        return t.config.field(name, known?.label ?? name)
    }

    /** Why clinic or mote refuse settings, with the names that people know. */
    private plain(refusal: Refusal): string {
        return t.refusal(refusal, name => t.config.quoted(this.label(name)))
    }

    private stateText({ inForce, newest }: MoteConfiguration): string {
        const heard = inForce.heardAt === null ? t.config.notReported : t.config.reported(dateTime(inForce.heardAt))
        const which = inForce.version === 0 ? t.config.first : t.config.version(inForce.version)
        const works = t.config.inForce(which, heard)
        if (!newest || (newest.state === "applied" && newest.version === inForce.version)) return works
        return t.config.newest(newest.version, this.became(newest), works)
    }

    private became({ state, reason, answeredAt }: Configuration): string {
        if (state === "pending") return t.config.pending
        const when = answeredAt === null ? "" : ` ${dateTime(answeredAt)}`
        const what = state === "rolled-back" ? t.config.rolledBack : t.config[state]
        return reason === null ? `${what}${when}` : t.config.because(`${what}${when}`, this.plain(reason))
    }

    private shown(name: string, value: number | string): string {
        const field = this.known?.fields.find(field => field.name === name)
        if (!field || typeof value === "string") return String(value) || t.config.asProvisioned
        const choice = field.choices?.[value]
        return choice === undefined ? `${setting(value)} ${unitOf(field)}`.trim() : t.config.choice(name, choice)
    }
}

function inputFor({ name, min, max, step, choices }: ConfigField): HTMLInputElement | HTMLSelectElement {
    if (choices) return h("select", {}, ...choices.map((choice, i) => option(i, t.config.choice(name, choice))))
    const [from, to, by] = [min, max, step].map(String)
    return h("input", { type: "number", required: "", min: from!, max: to!, step: by! })
}

function hint(field: ConfigField): string {
    const { min, max, choices } = field
    const usual = choices?.[field.default]
    if (usual !== undefined) return t.config.usually(t.config.choice(field.name, usual))
    return t.config.between(setting(min), setting(max), setting(field.default))
}

function option(value: number, text: string): HTMLOptionElement {
    return h("option", { value: String(value) }, text)
}

function unitOf({ unit }: ConfigField): string {
    return unitText(unit)
}

/** A row under `columns`; on a narrow screen each cell says which it is. */
function row(...cells: string[]): HTMLElement {
    return h("tr", {}, ...cells.map((text, i) => h("td", { "data-column": columns()[i]! }, text)))
}
