import "./admin.css"
import { AdminForm } from "./admin-form.ts"
import { openPatient, Refused } from "./api.ts"
import type { NewOpening } from "../http/schemas/break-glass.ts"
import { h } from "../../browser/dom.ts"
import { Field, selectOf } from "./fields.ts"
import { t } from "./texts/language.ts"
import type { View } from "./view.ts"

type Whom = NewOpening["whom"]

const hours = [1, 4, 8]
const ways = ["bed", "number", "name"] as const

/** Opens a patient of another ward, with a reason. It shows nobody: what somebody enters has to be right. */
export class BreakGlassView implements View {
    readonly element = h("main", { class: "admin" })
    readonly title = t.breakGlass.heading
    private readonly known: Whom | undefined
    private readonly way = selectOf(ways, way => t.breakGlass.ways[way as (typeof ways)[number]])
    private readonly fields: Record<"way" | "ward" | "bed" | "identifier" | "family" | "given" | "birthDate", Field>
    private readonly reason = new Field(t.breakGlass.reason, input({ minlength: "5", maxlength: "300", required: "" }))
    private readonly howLong = new Field(
        t.breakGlass.howLong,
        selectOf(hours.map(String), n => t.breakGlass.hours(Number(n))),
    )
    private readonly opened: (patient: number) => void

    /**
     * @param known who is meant, where the page that led here says so
     * @param opened is called with the patient
     */
    constructor(known: { patient: number } | { mote: string } | undefined, opened: (patient: number) => void) {
        this.known = known
        this.opened = opened
        this.fields = {
            way: new Field(t.breakGlass.way, this.way),
            ward: new Field(t.admin.ward, input({ required: "", maxlength: "50" })),
            bed: new Field(t.admin.bed, input({ required: "", maxlength: "20" })),
            identifier: new Field(t.admin.identifier, input({ required: "", maxlength: "100" })),
            family: new Field(t.admin.family, input({ required: "", maxlength: "100" })),
            given: new Field(t.admin.given, input({ required: "", maxlength: "100" })),
            birthDate: new Field(t.admin.birthDate, h("input", { type: "date", required: "" })),
        }
        this.way.addEventListener("change", () => this.follow())
        const form = new AdminForm(
            { ...this.fields, reason: this.reason, minutes: this.howLong },
            { button: t.breakGlass.open, send: () => this.send() },
        )
        this.reason.element.append(
            h("div", { class: "admin-actions" }, ...t.breakGlass.reasons.map(r => this.preset(r))),
        )
        const who =
            known && h("p", {}, "patient" in known ? patientText(known.patient) : t.breakGlass.thisMote(known.mote))
        this.element.append(
            h("h1", { tabindex: "-1" }, t.breakGlass.heading),
            h(
                "section",
                { class: "panel" },
                h("p", { class: "config-hint" }, t.breakGlass.hint),
                ...(who ? [who] : []),
                form.element,
            ),
        )
        this.follow()
    }

    update(): void {}
    add(): void {}
    /** What somebody is typing stays. */
    reload(): void {}
    close(): void {}

    /** With one hand free nobody types a sentence. */
    private preset(reason: string): HTMLElement {
        const button = h("button", { type: "button", class: "quiet small" }, reason)
        button.addEventListener("click", () => {
            this.reason.control.value = reason
            this.reason.say("")
        })
        return button
    }

    private follow(): void {
        const shown = this.known ? [] : ["way", ...{ bed: ["ward", "bed"], number: ["identifier"], name }[this.chosen]]
        for (const [name, { element }] of Object.entries(this.fields)) element.hidden = !shown.includes(name)
    }

    private get chosen(): (typeof ways)[number] {
        return ways.find(way => way === this.way.value) ?? "bed"
    }

    private whom(): Whom {
        if (this.known) return this.known
        const value = (name: keyof typeof this.fields) => this.fields[name].control.value.trim()
        switch (this.chosen) {
            case "bed":
                return { ward: value("ward"), bed: value("bed") }
            case "number":
                return { identifier: value("identifier") }
            case "name":
                return { family: value("family"), given: value("given"), birthDate: value("birthDate") }
        }
    }

    private async send(): Promise<string> {
        const minutes = Number(this.howLong.control.value) * 60
        try {
            const { patient } = await openPatient({
                ...{ whom: this.whom(), reason: this.reason.control.value.trim(), minutes },
            })
            this.opened(patient)
            return ""
        } catch (error) {
            const isNobody = error instanceof Refused && error.problem?.code === "not-found"
            throw isNobody ? new Error(t.breakGlass.nobody, { cause: error }) : error
        }
    }
}

const name = ["family", "given", "birthDate"]

const patientText = (id: number) => t.breakGlass.thisPatient(String(id))

function input(o: Record<string, string>): HTMLInputElement {
    return h("input", { autocomplete: "off", ...o })
}
