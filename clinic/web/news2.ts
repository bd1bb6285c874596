import "./news2.css"
import { h, setData, setText } from "../../browser/dom.ts"
import { chooseScale, observe, scoreOf, type Score, type ScorePart, type Session } from "./api.ts"
import { BedsideForm } from "./bedside-form.ts"
import { now } from "./clock.ts"
import { ago, dateTime, setting } from "./format.ts"
import { valueText } from "./news2-value.ts"
import { t } from "./texts/language.ts"

/** Between two live events only values change, not the score. */
const refreshMs = 60_000

/** NEWS2 of a patient: the total with its age, what it is made of, and what a nurse enters for it. */
export class News2View {
    readonly element = h("section", { class: "news2", "aria-label": t.news2.heading })
    /** What it is made of, for a place further down. */
    readonly parts = h("section", { class: "news2", "aria-label": t.news2.parts })
    private readonly patient: number
    private readonly total = h("span", { class: "news2-total" })
    private readonly risk = h("span")
    private readonly missing = h("span", { class: "news2-missing" })
    private readonly age = h("span", { class: "news2-age" })
    private readonly rows = h("tbody")
    private readonly problem = h("p", { class: "problem", role: "status" })
    private readonly scale = h("p", { class: "news2-scale" })
    private readonly form: BedsideForm | undefined
    private readonly mayChooseScale: boolean
    private readonly heard: (score: Score) => void
    private readonly timer = window.setInterval(() => void this.load(), refreshMs)
    private score: Score | undefined

    /** @param heard is called with each score that is as new as those before */
    constructor(patient: number, user: Session, heard: (score: Score) => void) {
        this.patient = patient
        this.heard = heard
        this.mayChooseScale = user.permissions.includes("choose-scale")
        if (user.permissions.includes("observe"))
            this.form = new BedsideForm(async entry => this.show(await observe(patient, entry)))
        const { parameter, value, score, since } = t.news2.column
        this.element.append(
            h(
                "div",
                { class: "news2-head" },
                h("h2", {}, t.news2.heading),
                ...[this.total, this.risk, this.missing, this.age],
            ),
            ...(this.form ? [this.form.element] : []),
            this.problem,
        )
        this.parts.append(
            h("h2", {}, t.news2.parts),
            h(
                "table",
                { class: "records" },
                h("thead", {}, h("tr", {}, ...[parameter, value, score, since].map(name => h("th", {}, name)))),
                this.rows,
            ),
            this.scale,
        )
        void this.load()
    }

    /** A score that has just changed. */
    show(score: Score): void {
        if (score.patient !== this.patient || score.at < (this.score?.at ?? 0)) return
        const isOtherScale = this.score?.scale.madeAt !== score.scale.madeAt || !this.score
        this.score = score
        this.heard(score)
        this.form?.setLast(score.parts)
        if (isOtherScale) this.showScale(score)
        this.update(now())
    }

    update(now: number): void {
        const { score } = this
        if (!score) return
        const { total, atLeast, risk, missing, oldestAt, parts } = score
        const nothing = missing.length === parts.length
        setText(
            this.total,
            total !== null ? setting(total) : nothing ? t.news2.none : t.news2.atLeast(setting(atLeast)),
        )
        setData(this.total, "risk", risk ?? "none")
        setText(this.risk, risk === null ? "" : t.news2.risk(risk))
        setText(this.missing, missing.length === 0 ? "" : t.news2.missing(missing.map(t.news2.name).join(", ")))
        setText(this.age, oldestAt === null ? "" : t.news2.complete(ago(oldestAt, now)))
        const texts = parts.map(part => rowOf(part, now))
        if (this.rows.children.length !== texts.length)
            this.rows.replaceChildren(...texts.map(() => h("tr", {}, ...texts[0]!.map(() => h("td")))))
        const columns = Object.values(t.news2.column)
        for (const [i, cells] of texts.entries())
            for (const [j, text] of cells.entries()) {
                const cell = this.rows.children[i]!.children[j] as HTMLElement
                setText(cell, text)
                setData(cell, "column", columns[j]!)
            }
        this.form?.update(now)
    }

    close(): void {
        clearInterval(this.timer)
    }

    private async load(): Promise<void> {
        try {
            this.show(await scoreOf(this.patient))
            setText(this.problem, "")
        } catch (error) {
            setText(this.problem, t.news2.notLoaded((error as Error).message))
        }
    }

    private showScale({ scale: { scale, by, madeAt } }: Score): void {
        const chosen = by === null || madeAt === null ? "" : ` ${t.news2.scaleBy(by, dateTime(madeAt))}`
        if (!this.mayChooseScale)
            return this.scale.replaceChildren(`${t.news2.scale} ${t.news2.scaleName(scale)}${chosen}`)
        const choice = h(
            "select",
            { id: `scale-${this.patient}` },
            ...([1, 2] as const).map(n => h("option", { value: String(n) }, t.news2.scaleName(n))),
        )
        choice.value = String(scale)
        choice.addEventListener("change", () => void this.choose(choice, scale))
        this.scale.replaceChildren(h("label", { for: choice.id }, t.news2.scale), " ", choice, chosen)
    }

    private async choose(choice: HTMLSelectElement, before: 1 | 2): Promise<void> {
        const chosen = choice.value === "2" ? 2 : 1
        if (chosen === 2 && !confirm(t.news2.scaleSure)) return void (choice.value = String(before))
        try {
            this.show(await chooseScale(this.patient, chosen))
            setText(this.problem, "")
        } catch (error) {
            choice.value = String(before)
            setText(this.problem, t.news2.notRecorded((error as Error).message))
        }
    }
}

function rowOf(part: ScorePart, now: number): string[] {
    const { name, score, time, by, isOld } = part
    const { news2 } = t
    if (time === null) return [news2.name(name), news2.none, news2.none, news2.unknown]
    const when = by === null ? news2.measured(ago(time, now)) : news2.entered(ago(time, now), by)
    const points = score === null ? news2.none : setting(score)
    return [news2.name(name), valueText(part), points, isOld ? news2.tooOld(when) : when]
}
