import { h, setData, setText } from "../../browser/dom.ts"
import { AccountView } from "./account.ts"
import { adminParts, AdminView } from "./admin.ts"
import { BreakGlassView } from "./break-glass.ts"
import { AlarmPanel } from "./alarm.ts"
import { LoggedOut, logout, me, moteConfig, ward, type Session, type Ward } from "./api.ts"
import { now, setClock } from "./clock.ts"
import { ConditionList } from "./conditions.ts"
import { DesktopNotices } from "./desktop-notices.ts"
import { DetailView } from "./detail.ts"
import { timeOfDay } from "./format.ts"
import { languageChoice } from "./language-choice.ts"
import { Live } from "./live.ts"
import { LogView } from "./log.ts"
import { WardModel } from "./model.ts"
import { OpenedBar } from "./opened-bar.ts"
import { OwnView } from "./own.ts"
import { PairView } from "./pair.ts"
import { everybody } from "./selection.ts"
import { RulesView } from "./rules.ts"
import { SessionEnd } from "./session-end.ts"
import { SoundButton } from "./sound-button.ts"
import { StatisticsView } from "./statistics.ts"
import { t } from "./texts/language.ts"
import { UnknownView } from "./unknown.ts"
import { urgency } from "./urgency.ts"
import type { View } from "./view.ts"
import { WallView } from "./wall.ts"
import { WardView } from "./ward.ts"

const tickMs = 1000
/** Who is on the ward changes seldom; values come by themselves. */
const wardRefreshMs = 60_000
const retryMs = 3000
/** Every drawing costs by the number of patients: of few it may come sooner. */
const [drawMsPerPatient, mostDrawMs] = [5, 1000]

/** Everything a logged-in user sees: header, the chosen view, the alarms, the state of the connection. */
export class Screen {
    private readonly model = new WardModel()
    private readonly time = h("time", { class: "clock", "aria-hidden": "true" })
    private readonly lost = h("p", { class: "lost", role: "alert" })
    private readonly place = h("div", { class: "place" })
    private readonly timers: number[] = []
    private readonly user: Session
    private readonly loggedOut: (isUnwanted: boolean) => void
    private readonly selection = everybody()
    private readonly tools = h("div", { class: "tools" })
    private readonly cutOff = h("div", { class: "cut-off", role: "alert" })
    private readonly navigate = () => void this.show()
    /** Only where somebody is to come: a patient's page does not sound. */
    private readonly sound: SoundButton | undefined
    private readonly notices: DesktopNotices | undefined
    private conditions = new ConditionList()
    private readonly opened: OpenedBar | undefined
    private alarms: AlarmPanel | undefined
    private sessionEnd: SessionEnd | undefined
    private view: View | undefined
    private isConnected = true
    private live: Live | undefined
    private frame: number | undefined
    private refreshing: Promise<void> | undefined
    private isOver = false

    constructor(user: Session, loggedOut: (isUnwanted: boolean) => void) {
        this.user = user
        this.loggedOut = loggedOut
        if (user.permissions.includes("acknowledge")) {
            const notices = (this.notices = new DesktopNotices(this.model))
            this.sound = new SoundButton(() => void notices.ask())
        }
        if (user.permissions.includes("break-glass") && user.wards !== "all") this.opened = new OpenedBar(this.model)
        this.build()
        void this.begin()
    }

    /** In the language of now; sound and connection go on. */
    private build(): void {
        const out = h("button", { class: "quiet", type: "button" }, t.shell.logOut)
        out.addEventListener("click", () => void logout().finally(() => this.end(false)))
        const translate = () => {
            this.sound?.translate()
            this.build()
            void this.show()
        }
        const header = h(
            "header",
            {},
            h(
                "a",
                { class: "home", href: "#/" },
                h("img", { src: "favicon.svg", alt: "", width: "26", height: "26" }),
                h("span", { class: "product" }, t.shell.product),
            ),
            ...this.views(),
            this.tools,
            this.time,
            ...(this.sound ? [this.sound.element] : []),
            this.isDisplay
                ? h("span", { class: "user" }, this.user.user)
                : h("a", { class: "user", href: "#/account", title: t.account.heading }, this.user.user),
            languageChoice(translate),
            out,
        )
        this.alarms?.close()
        this.alarms = new AlarmPanel(this.model, this.user)
        const { conditions } = this
        this.conditions = new ConditionList(conditions.current)
        this.sessionEnd = new SessionEnd(this.user, this.sessionEnd?.endsAt, () => this.live?.reopen())
        const isOwn = this.user.patient !== null
        const hasAlarms = !isOwn && this.mayWatch
        setData(document.body, "alarms", String(hasAlarms))
        const shell = h("div", { class: "shell" }, this.place, ...(hasAlarms ? [this.alarms.element] : []))
        document.body.replaceChildren(
            header,
            h(
                "div",
                { class: "page-bars" },
                ...(this.notices ? [this.notices.element] : []),
                ...(this.opened ? [this.opened.element] : []),
                ...[this.sessionEnd.element, this.conditions.element],
            ),
            ...[shell, this.lost, this.cutOff],
        )
    }

    /** An administrator sees no patient, only the administration. */
    private get mayWatch(): boolean {
        return this.user.permissions.includes("watch")
    }

    /** Whoever may do no more than watch has one view: the wall. */
    private get isDisplay(): boolean {
        return this.mayWatch && !this.user.permissions.includes("read")
    }

    private views(): HTMLElement[] {
        if (this.isDisplay || this.user.patient !== null) return []
        const link = (href: string, text: string) => h("a", { href }, text)
        const links: HTMLElement[] = []
        if (this.mayWatch) {
            links.push(link("#/", t.shell.ward), link("#/wall", t.wall.heading), link("#/log", t.log.heading))
        }
        if (this.user.permissions.includes("review-alarms")) links.push(link("#/statistics", t.statistics.link))
        if (this.opened) links.push(link("#/open", t.breakGlass.link))
        if (this.user.permissions.includes("read-rules")) links.push(link("#/rules", t.rules.link))
        if (adminParts(this.user).length > 0) links.push(link("#/admin", t.admin.link))
        return [h("nav", { "aria-label": t.shell.views }, ...links)]
    }

    private async begin(): Promise<void> {
        while (!this.isOver && this.mayWatch)
            try {
                const found = await ward()
                setClock(found.now)
                this.load(found)
                this.listen(found.newestId)
                break
            } catch (error) {
                if (error instanceof LoggedOut) return this.end()
                this.connected(false)
                await new Promise(resolve => setTimeout(resolve, retryMs))
            }
        if (this.isOver) return
        addEventListener("hashchange", this.navigate)
        this.timers.push(
            window.setInterval(() => this.tick(), tickMs),
            window.setInterval(() => void (this.mayWatch ? this.refresh() : this.stillIn()), wardRefreshMs),
        )
        await this.show()
    }

    private load(found: Ward): void {
        this.model.load(found)
        this.conditions.update(found.conditions)
        void this.opened?.load()
    }

    private listen(newestId: number): void {
        this.live = new Live(newestId, {
            observation: observation => {
                if (!this.model.add(observation)) void this.refresh()
                this.view?.add(observation)
                this.draw()
            },
            openAlarms: ids => {
                this.model.keepAlarms(ids)
                this.drawNow()
            },
            alarm: alarm => {
                this.model.setAlarm(alarm)
                const { isOpen, patient } = alarm
                if (isOpen && patient !== null && !this.model.patient(patient)) void this.refresh()
                this.drawNow()
            },
            score: score => this.view?.showScore?.(score),
            conditions: conditions => this.conditions.update(conditions),
            reset: () => void this.refresh().then(() => this.reload()),
            connected: isConnected => this.connected(isConnected),
            loggedOut: () => this.end(),
        })
    }

    private async refresh(): Promise<void> {
        this.refreshing ??= (async () => {
            try {
                this.load(await ward())
                this.tick()
            } catch (error) {
                if (error instanceof LoggedOut) this.end()
            } finally {
                this.refreshing = undefined
            }
        })()
        await this.refreshing
    }

    /** Whoever's page it is may be seen no longer. */
    private reload(): void {
        const patient = this.view?.patient
        if (patient !== undefined && !this.model.patient(patient)) void this.show()
        else this.view?.reload()
    }

    /** Where no stream of news says that a session is over. */
    private async stillIn(): Promise<void> {
        await me().catch((error: unknown) => {
            if (error instanceof LoggedOut) this.end()
        })
    }

    private async show(): Promise<void> {
        const { hash } = location
        const view = await this.viewOf(hash)
        if (!view || hash !== location.hash || this.isOver) return view?.close()
        this.view?.close()
        this.view = view
        setData(document.body, "view", view instanceof WallView ? "wall" : "page")
        this.place.replaceChildren(view.element)
        this.tools.replaceChildren(...(view.tools ? [view.tools] : []))
        for (const link of document.querySelectorAll<HTMLAnchorElement>("header nav a"))
            link.toggleAttribute("aria-current", isWithin(hash === "" ? "#/" : hash, link.hash))
        this.tick()
        // So that a screen reader and the Tab key go on from here.
        view.element.querySelector("h1")?.focus({ preventScroll: true })
        scrollTo(0, 0)
    }

    /** What an address leads to; undefined where it leads on to another one. */
    private async viewOf(hash: string): Promise<View | undefined> {
        // A display's account is nobody's own.
        if (hash === "#/account" && !this.isDisplay) return new AccountView(this.user)
        if (!this.mayWatch) return this.adminView(hash) ?? this.adminView("#/admin")
        const own = this.user.patient === null ? undefined : this.model.patient(this.user.patient)
        if (own) return new OwnView(own, this.model)
        if (this.isDisplay || hash === "#/wall")
            return new WallView(this.model, this.selection, { isLink: !this.isDisplay })
        if (["", "#", "#/"].includes(hash)) return new WardView(this.model, this.selection)
        if (hash === "#/statistics" && this.user.permissions.includes("review-alarms"))
            return new StatisticsView(this.model)
        if (hash === "#/log") return new LogView(this.model)
        const open = /^#\/open(?:\/(?:(\d{1,15})|([0-9a-f]{16})))?$/.exec(hash)
        if (open && this.opened) return this.openingView(open[1], open[2])
        const admin = this.adminView(hash)
        if (admin) return admin
        const rules = /^#\/rules(?:\/([^/]+))?$/.exec(hash)
        if (rules && this.user.permissions.includes("read-rules"))
            return new RulesView(this.model, this.user, rules[1] === undefined ? undefined : decoded(rules[1]))
        const [, mote] = /^#\/motes\/([0-9a-f]{16})$/.exec(hash) ?? []
        if (mote !== undefined) return await this.wearerOf(mote)
        const [, ids] = /^#\/patients\/(\d{1,15}(?:\+\d{1,15})?)$/.exec(hash) ?? []
        if (ids === undefined) return new UnknownView(t.patient.unknownPage)
        const views: DetailView[] = []
        for (const id of new Set(ids.split("+"))) {
            // Somebody who has just been admitted.
            for (let tries = 0; tries < 2 && !this.model.patient(Number(id)); tries++) await this.refresh()
            const patient = this.model.patient(Number(id))
            if (!patient) {
                for (const view of views) view.close()
                return new UnknownView(t.patient.unknown(id), t.patient.unknownHint, this.openingLink(id))
            }
            views.push(new DetailView(patient, this.model, this.user))
        }
        const [first, second] = views
        return first && second ? new PairView([first, second]) : first
    }

    /** For somebody of another ward, whom a link or the label on a mote has led to. */
    private openingLink(whom: string): HTMLElement | undefined {
        return this.opened && h("a", { class: "back", href: `#/open/${whom}` }, t.breakGlass.openThis)
    }

    private openingView(patient: string | undefined, mote: string | undefined): View {
        const whom = patient === undefined ? mote && { mote } : { patient: Number(patient) }
        return new BreakGlassView(whom || undefined, opened => {
            location.hash = `#/patients/${opened}`
        })
    }

    private adminView(hash: string): View | undefined {
        const [address, part, mote] = /^#\/admin(?:\/(\w+)(?:\/([0-9a-f]{16}))?)?$/.exec(hash) ?? []
        const parts = adminParts(this.user)
        const chosen = part === undefined ? parts[0] : parts.find(each => each === part)
        if (address === undefined || chosen === undefined || (mote !== undefined && part !== "motes")) return undefined
        return new AdminView(this.user, chosen, () => void (this.mayWatch && this.refresh()), mote)
    }

    /** The label on a mote leads to whoever wears it, or to where it can be put on somebody. */
    private async wearerOf(mote: string): Promise<View | undefined> {
        try {
            const { patient } = await moteConfig(mote)
            if (patient === null && !adminParts(this.user).includes("motes"))
                return new UnknownView(t.devices.heading(mote), t.devices.onNobody)
            location.replace(patient === null ? `#/admin/motes/${mote}` : `#/patients/${patient}`)
            return undefined
        } catch (error) {
            if (error instanceof LoggedOut) this.end()
            return new UnknownView(t.patient.unknownMote(mote), (error as Error).message, this.openingLink(mote))
        }
    }

    /** Of two hundred motes something comes all the time: a few times a second is enough. */
    private draw(): void {
        this.frame ??= window.setTimeout(
            () => {
                this.frame = undefined
                this.update()
            },
            Math.min(mostDrawMs, drawMsPerPatient * this.model.all().length),
        )
    }

    /** Alarms do not wait. */
    private drawNow(): void {
        clearTimeout(this.frame)
        this.frame = undefined
        this.update()
    }

    private tick(): void {
        setText(this.time, timeOfDay(now()))
        this.sessionEnd?.update()
        this.opened?.update(now())
        this.update()
    }

    private update(): void {
        this.view?.update(now())
        this.alarms?.update(now(), this.view?.patient)
        const unseen = this.model.alarms().filter(alarm => urgency(alarm) !== "seen")
        const alarms = unseen.length > 0 ? `${t.shell.newAlarms(unseen.length)} · ` : ""
        const priorities = unseen.map(({ priority }) => priority)
        // A page that hears nothing, or a clinic that stores nothing, must not be mistaken for a quiet ward.
        const isBlind = !this.isConnected || this.conditions.isBlind
        this.sound?.show(isBlind ? [...priorities, "medium"] : priorities)
        this.notices?.show(unseen, this.isConnected)
        document.title = `${alarms}${this.view?.title ?? ""} · ${t.shell.product}`
    }

    private connected(isConnected: boolean): void {
        const isNews = isConnected !== this.isConnected
        this.isConnected = isConnected
        if (isNews) this.update()
        setData(document.body, "connection", isConnected ? "live" : "lost")
        setText(this.lost, isConnected ? "" : t.shell.lost)
        if (isConnected) return this.cutOff.replaceChildren()
        if (this.cutOff.childElementCount > 0) return
        const since = h("span", {}, t.wall.since(timeOfDay(now())))
        this.cutOff.replaceChildren(h("strong", {}, t.wall.cutOff), since)
    }

    /** @param isUnwanted where it is not the user who ends it */
    private end(isUnwanted = true): void {
        if (this.isOver) return
        this.isOver = true
        this.live?.close()
        this.sound?.close()
        this.notices?.close()
        this.alarms?.close()
        this.view?.close()
        this.view = undefined
        this.timers.forEach(timer => clearInterval(timer))
        removeEventListener("hashchange", this.navigate)
        clearTimeout(this.frame)
        delete document.body.dataset.view
        this.loggedOut(isUnwanted)
    }
}

/** Whether an address is that of a link in the header, or below it. */
function isWithin(hash: string, link: string): boolean {
    return hash === link || (link !== "#/" && hash.startsWith(`${link}/`))
}

function decoded(part: string): string {
    try {
        return decodeURIComponent(part)
    } catch {
        return part
    }
}
