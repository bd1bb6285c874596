import { routers, type Router } from "./api.ts"
import { now } from "./clock.ts"
import { h, setData, setText } from "../../browser/dom.ts"
import { ago, dateTime, duration, setting } from "./format.ts"
import { row, table } from "./records.ts"
import { t } from "./texts/language.ts"

/** A router asks for keys every ten seconds. */
const silentMs = 25_000
const refreshMs = 10_000

/** The border routers, and how the clinic hears each. */
export class RoutersSection {
    readonly element = h("section", { class: "panel" })
    private readonly state = h("p", { class: "admin-state", role: "status" })
    private readonly rows = h("tbody")

    constructor() {
        this.element.append(
            h("p", { class: "config-hint" }, t.admin.routersHint),
            this.state,
            table(columns(), this.rows),
        )
        void this.load()
    }

    /** Again and again while it is shown. */
    private async load(): Promise<void> {
        try {
            const all = await routers()
            setText(this.state, all.length > 0 ? "" : t.admin.noRouter)
            this.rows.replaceChildren(...all.map(rowOf))
        } catch (error) {
            setText(this.state, t.admin.failed((error as Error).message))
        }
        window.setTimeout(() => {
            if (this.element.isConnected) void this.load()
        }, refreshMs)
    }
}

const columns = () => Object.values(t.admin.routerColumn)

function rowOf(router: Router): HTMLElement {
    const { user, wards, heardAt, silentMs: silent, clockOffsetMs, storeLostAt, motes } = router
    const isSilent = heardAt === null || silent === null || silent > silentMs
    const heard = h("span", { class: "contact" }, heardText(heardAt, silent, isSilent))
    setData(heard, "state", isSilent ? "silent" : "live")
    const clock =
        clockOffsetMs === null || clockOffsetMs === 0
            ? clockOffsetMs === null
                ? t.news2.none
                : t.admin.clockRight
            : t.admin.clockOff(duration(Math.abs(clockOffsetMs)), clockOffsetMs < 0)
    const lost = storeLostAt === null ? t.news2.none : dateTime(storeLostAt)
    return row(columns(), [user, heard, clock, wards?.join(", ") ?? t.ward.everyWard, setting(motes), lost])
}

function heardText(heardAt: number | null, silent: number | null, isSilent: boolean): string {
    if (heardAt === null || silent === null) return t.admin.neverHeard
    return isSilent
        ? t.contact.silent(duration(Math.min(silent, Math.max(0, now() - heardAt)) || silent))
        : ago(now() - silent, now())
}
