import { rowButton } from "./admin-form.ts"
import { allOpenings, reviewOpening, type ReviewedOpening } from "./api.ts"
import { becameOf, searchAudit } from "./audit-events.ts"
import { h, setText } from "../../browser/dom.ts"
import { dateTime } from "./format.ts"
import { row, table } from "./records.ts"
import { t } from "./texts/language.ts"

const maxEvents = 200

/** Who opened patients of other wards: what nobody has reviewed comes first. */
export class OpeningsSection {
    readonly element = h("div")
    private readonly state = h("p", { class: "admin-state", role: "status" })
    private readonly looks = h("section", { class: "panel", tabindex: "-1" })
    private readonly waiting = new OpeningsList(t.breakGlass.review.waiting, false, opening => this.actions(opening))
    private readonly done = new OpeningsList(t.breakGlass.review.done, true, opening => this.actions(opening))

    constructor() {
        const { heading, hint } = t.breakGlass.review
        this.looks.hidden = true
        this.element.append(
            h("section", { class: "panel" }, h("h2", {}, heading), h("p", { class: "config-hint" }, hint), this.state),
            ...[this.looks, this.waiting.element, this.done.element],
        )
        void this.load()
    }

    private async load(): Promise<void> {
        await Promise.all([this.waiting.load(false), this.done.load(false)])
    }

    private actions(opening: ReviewedOpening): HTMLElement {
        const { button, by, looks } = t.breakGlass.review
        const { id, reviewedAt, reviewedBy } = opening
        const element = h("span", { class: "admin-actions" })
        if (reviewedAt === null) element.append(rowButton(button, String(id), () => this.review(opening)))
        else element.append(by(reviewedBy ?? "", dateTime(reviewedAt)))
        element.append(rowButton(looks, String(id), () => this.showLooks(opening)))
        return element
    }

    private async review({ id }: ReviewedOpening): Promise<void> {
        try {
            await reviewOpening(id)
            await this.load()
            setText(this.state, t.breakGlass.review.saved(String(id)))
        } catch (error) {
            setText(this.state, t.admin.failed((error as Error).message))
        }
    }

    /** What the record has of this patient and user as long as it lasted. */
    private async showLooks({ id, user, patient, madeAt, endsAt }: ReviewedOpening): Promise<void> {
        const rows = h("tbody")
        const { columns, none, what } = t.audit
        const names = [columns.when, columns.what]
        try {
            const query = new URLSearchParams([
                ["_count", String(maxEvents)],
                ["patient", String(patient)],
                ["agent-name", user],
                ["date", `ge${new Date(madeAt).toISOString()}`],
                ["date", `le${new Date(endsAt).toISOString()}`],
            ])
            const { events } = await searchAudit(query)
            for (const { at, action, subject, outcome } of events)
                rows.append(row(names, [dateTime(at), what(action, subject) + becameOf(outcome, false)]))
            const empty = rows.childElementCount > 0 ? "" : none
            this.looks.replaceChildren(
                h("h2", {}, t.breakGlass.review.looksOf(String(id))),
                ...[h("p", {}, empty), table(names, rows)],
            )
            this.looks.hidden = false
            this.looks.focus()
        } catch (error) {
            setText(this.state, t.admin.failed((error as Error).message))
        }
    }
}

class OpeningsList {
    readonly element: HTMLElement
    private readonly isReviewed: boolean
    private readonly actions: (opening: ReviewedOpening) => HTMLElement
    private readonly rows = h("tbody")
    private readonly state = h("p", { class: "admin-state", role: "status" })
    private readonly more = h("button", { type: "button", class: "quiet" }, t.breakGlass.review.more)
    private last: number | undefined

    constructor(heading: string, isReviewed: boolean, actions: (opening: ReviewedOpening) => HTMLElement) {
        this.isReviewed = isReviewed
        this.actions = actions
        this.more.hidden = true
        this.more.addEventListener("click", () => void this.load(true))
        this.element = h(
            "section",
            { class: "panel" },
            ...[h("h2", {}, heading), this.state, table(columns(), this.rows), this.more],
        )
    }

    async load(isMore: boolean): Promise<void> {
        try {
            const { openings, isWhole } = await allOpenings(this.isReviewed, isMore ? this.last : undefined)
            if (!isMore) this.rows.replaceChildren()
            this.rows.append(...openings.map(opening => this.line(opening)))
            this.last = openings.at(-1)?.id ?? this.last
            this.more.hidden = isWhole
            setText(this.state, this.rows.childElementCount > 0 ? "" : t.breakGlass.review.none)
        } catch (error) {
            setText(this.state, t.admin.failed((error as Error).message))
        }
    }

    private line(opening: ReviewedOpening): HTMLElement {
        const { madeAt, endsAt, user, patient, reason } = opening
        const texts = [dateTime(madeAt), dateTime(endsAt), user, String(patient), reason]
        return row(columns(), [...texts, this.actions(opening)])
    }
}

const columns = () => Object.values(t.breakGlass.review.columns)
