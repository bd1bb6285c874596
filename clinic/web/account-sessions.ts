import { rowButton } from "./admin-form.ts"
import { endOtherSessions, endSession, ownSessions, type OwnSession } from "./api.ts"
import { h, setText } from "../../browser/dom.ts"
import { dateTime } from "./format.ts"
import { row, table } from "./records.ts"
import { t } from "./texts/language.ts"

/** Where one is logged in. */
export class SessionsSection {
    readonly element = h("section", { class: "panel" })
    private readonly state = h("p", { class: "admin-state", role: "status" })
    private readonly rows = h("tbody")
    private readonly others = h("button", { type: "button", class: "quiet" }, t.account.endOthers)

    constructor() {
        this.others.addEventListener("click", () => void this.end(endOtherSessions))
        this.element.append(
            h("h2", {}, t.account.sessionsHeading),
            table(columns(), this.rows),
            h("div", { class: "config-buttons" }, this.others),
            this.state,
        )
        void this.load()
    }

    private async load(): Promise<void> {
        try {
            const all = await ownSessions()
            this.rows.replaceChildren(...all.map(session => this.row(session)))
            this.others.hidden = all.length < 2
        } catch (error) {
            setText(this.state, t.admin.failed((error as Error).message))
        }
    }

    private row({ id, agent, createdAt, usedAt, isThis }: OwnSession): HTMLElement {
        const browser = agent || t.account.unknownBrowser
        const action = isThis
            ? t.account.thisOne
            : rowButton(t.account.end, browser, () => this.end(() => endSession(id)))
        return row(columns(), [browser, dateTime(createdAt), dateTime(usedAt), action])
    }

    private async end(work: () => Promise<void>): Promise<void> {
        try {
            await work()
            setText(this.state, t.account.ended)
        } catch (error) {
            setText(this.state, t.admin.failed((error as Error).message))
        }
        await this.load()
    }
}

const columns = () => Object.values(t.account.sessionColumn)
