import "uplot/dist/uPlot.min.css"
import "./style.css"
import { alarmKindOf } from "../../wire/tables/alarm-kinds.ts"
import { LoggedOut, logout, me, moteConfig, ward, type Session, type Ward } from "./api.ts"
import { now, setClock } from "./clock.ts"
import { ConditionList } from "./conditions.ts"
import { DetailView } from "./detail.ts"
import { h, setData, setText } from "../../browser/dom.ts"
import { timeOfDay } from "./format.ts"
import { Live } from "./live.ts"
import { loginView } from "./login.ts"
import { WardModel } from "./model.ts"
import { SoundButton } from "./sound-button.ts"
import type { View } from "./view.ts"
import { WardView } from "./ward.ts"
import { urgency } from "./urgency.ts"

const tickMs = 1000
/** Who is on the ward changes seldom; values come by themselves. */
const wardRefreshMs = 60_000
const retryMs = 3000

/** Everything a logged-in user sees: header, the chosen view, the state of the connection. */
class Screen {
    private readonly model = new WardModel()
    private readonly time = h("time", { class: "clock", "aria-hidden": "true" })
    private readonly lost = h("p", { class: "lost", role: "alert" })
    private readonly conditions = new ConditionList()
    private readonly place = h("div", { class: "place" })
    private readonly timers: number[] = []
    private readonly user: Session
    private readonly navigate = () => this.show()
    /** Only where somebody is to come: a patient's page does not sound. */
    private readonly sound: SoundButton | undefined
    private view: View | undefined
    private isConnected = true
    private live: Live | undefined
    private frame: number | undefined
    private isRefreshing = false
    private isOver = false

    constructor(user: Session) {
        this.user = user
        const out = h("button", { class: "quiet" }, "Log out")
        out.addEventListener("click", () => void logout().finally(() => this.end()))
        if (user.permissions.includes("acknowledge")) this.sound = new SoundButton()
        const header = h(
            "header",
            {},
            h(
                "a",
                { class: "home", href: "#/" },
                h("img", { src: "/favicon.svg", alt: "", width: "26", height: "26" }),
                "VitalMote",
            ),
            this.time,
            ...(this.sound ? [this.sound.element] : []),
            h("span", { class: "user" }, user.user),
            out,
        )
        document.body.replaceChildren(header, this.conditions.element, this.place, this.lost)
        void this.begin()
    }

    private async begin(): Promise<void> {
        while (!this.isOver)
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
            window.setInterval(() => void this.refresh(), wardRefreshMs),
        )
        this.show()
    }

    private load(found: Ward): void {
        this.model.load(found)
        this.conditions.update(found.conditions)
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
                this.draw()
            },
            alarm: alarm => {
                this.model.setAlarm(alarm)
                if (alarm.isOpen && !this.model.patient(alarm.patient)) void this.refresh()
                this.draw()
            },
            conditions: conditions => this.conditions.update(conditions),
            reset: () => void this.refresh().then(() => this.view?.reload()),
            connected: isConnected => this.connected(isConnected),
            loggedOut: () => this.end(),
        })
    }

    private async refresh(): Promise<void> {
        if (this.isRefreshing) return
        this.isRefreshing = true
        try {
            this.load(await ward())
            this.tick()
        } catch (error) {
            if (error instanceof LoggedOut) this.end()
        } finally {
            this.isRefreshing = false
        }
    }

    private show(): void {
        const [, mote] = /^#\/motes\/([0-9a-f]{16})$/.exec(location.hash) ?? []
        if (mote !== undefined) void this.goToWearer(mote)
        const [, patient] = /^#\/patients\/(\d+)$/.exec(location.hash) ?? []
        this.view?.close()
        this.view =
            patient === undefined
                ? new WardView(this.model, this.user)
                : new DetailView(Number(patient), this.model, this.user)
        this.place.replaceChildren(this.view.element)
        this.tick()
        // So that a screen reader and the Tab key go on from here.
        this.view.element.querySelector("h1")?.focus({ preventScroll: true })
        scrollTo(0, 0)
    }

    /** The label on a mote leads to whoever wears it. */
    private async goToWearer(mote: string): Promise<void> {
        try {
            const { patient } = await moteConfig(mote)
            location.replace(`#/patients/${patient}`)
        } catch (error) {
            if (error instanceof LoggedOut) this.end()
            else setText(this.lost, `Mote ${mote}: ${(error as Error).message}`)
        }
    }

    /** After a lost connection many values come at once: once a frame is enough. */
    private draw(): void {
        this.frame ??= requestAnimationFrame(() => {
            this.frame = undefined
            this.update()
        })
    }

    private tick(): void {
        setText(this.time, timeOfDay(now()))
        this.update()
    }

    private update(): void {
        this.view?.update(now())
        const unseen = this.model.alarms().filter(alarm => urgency(alarm) !== "seen")
        const alarms = unseen.length > 0 ? `⚠ ${unseen.length} · ` : ""
        const priorities = unseen.map(({ kind }) => alarmKindOf(kind).priority)
        // A page that hears nothing must not be mistaken for a quiet ward.
        this.sound?.show(this.isConnected ? priorities : [...priorities, "medium"])
        document.title = `${alarms}${this.view?.title ?? ""} · VitalMote`
    }

    private connected(isConnected: boolean): void {
        this.isConnected = isConnected
        setData(document.body, "connection", isConnected ? "live" : "lost")
        setText(this.lost, isConnected ? "" : "Connection lost. Values may be out of date. Reconnecting …")
    }

    private end(): void {
        if (this.isOver) return
        this.isOver = true
        this.live?.close()
        this.sound?.close()
        this.view?.close()
        this.view = undefined
        this.timers.forEach(timer => clearInterval(timer))
        removeEventListener("hashchange", this.navigate)
        askForLogin()
    }
}

function askForLogin(): void {
    document.title = "VitalMote"
    delete document.body.dataset.connection
    document.body.replaceChildren(loginView(user => new Screen(user)))
}

try {
    new Screen(await me())
} catch {
    askForLogin()
}
