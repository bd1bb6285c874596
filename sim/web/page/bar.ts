import { h, setText } from "../../../browser/dom.ts"
import { onFailure, order } from "./api.ts"
import { clockTime, times } from "./format.ts"
import { mediumForm } from "./medium.ts"
import type { Model, Part } from "./model.ts"

const speeds = [0.01, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100]
const unlimited = "max"
const failureMs = 6000

/** The clock, and the controls of speed and steps. */
export class Bar implements Part {
    readonly element = h("header", { class: "bar" })
    private readonly model: Model
    private readonly run = h("button", { class: "run" }, "Pause")
    private readonly speed = h("select", { "aria-label": "Speed" })
    private readonly clock = h("output", { class: "clock", "aria-label": "Simulated time" })
    private readonly pace = h("span", { class: "pace" })
    private readonly connection = h("span", { class: "connection" })
    private readonly failure = h("span", { class: "failure", role: "alert" })

    constructor(model: Model) {
        this.model = model
        this.run.addEventListener("click", () => this.toggle())
        for (const limit of [...speeds, unlimited])
            this.speed.append(h("option", { value: String(limit) }, limit === unlimited ? "max" : `${limit}×`))
        this.speed.addEventListener("change", () => {
            const { value } = this.speed
            void order("/api/speed", { limit: value === unlimited ? null : Number(value) })
        })
        const step = (text: string, to: string, title: string) => {
            const button = h("button", { class: "quiet", title, "data-step": to }, text)
            button.addEventListener("click", () => void order("/api/step", { to }))
            return button
        }
        const repair = h("button", { class: "quiet" }, "Global repair")
        repair.addEventListener("click", () => void order("/api/repair"))
        const border = h("a", { class: "quiet", href: "/border", target: "_blank" }, "Border router")
        this.element.append(
            h("strong", {}, "VitalMote simulator"),
            ...[this.run, step("Event", "event", "To the next event (.)")],
            step("Frame", "frame", "To the next frame (f)"),
            step("+1 s", "second", "One second on (s)"),
            h("label", { class: "speed" }, "at most", this.speed),
            ...[this.clock, this.pace, this.failure, this.connection],
            ...[mediumForm(model), repair, border],
        )
        addEventListener("keydown", event => this.key(event))
        let timer = 0
        onFailure(message => {
            setText(this.failure, message)
            clearTimeout(timer)
            timer = setTimeout(() => setText(this.failure, ""), failureMs)
        })
    }

    begin(): void {
        this.tick()
    }

    tick(): void {
        const { ms, isPaused, limit, speed } = this.model.status
        setText(this.clock, clockTime(ms))
        setText(this.run, isPaused ? "Run" : "Pause")
        setText(this.pace, isPaused ? "paused" : `${times(speed)} real time`)
        this.element.classList.toggle("paused", isPaused)
        const value = limit === null ? unlimited : String(limit)
        if (!speeds.map(String).concat(unlimited).includes(value)) {
            const own = h("option", { value }, `${value}×`)
            if (![...this.speed.options].some(option => option.value === value)) this.speed.prepend(own)
        }
        if (document.activeElement !== this.speed) this.speed.value = value
    }

    connected(isOpen: boolean, missed: number): void {
        const slow = missed ? `browser too slow: ${missed} updates skipped` : ""
        setText(this.connection, isOpen ? slow : "no connection")
        this.connection.classList.toggle("lost", !isOpen)
    }

    private toggle(): void {
        void order(this.model.status.isPaused ? "/api/resume" : "/api/pause")
    }

    private key(event: KeyboardEvent): void {
        const isElsewhere = (event.target as Element).matches("input, select, button, textarea, a")
        if (isElsewhere || event.ctrlKey || event.metaKey || event.altKey) return
        const step = { ".": "event", f: "frame", s: "second" }[event.key]
        if (step) void order("/api/step", { to: step })
        else if (event.key === " ") this.toggle()
        else return
        event.preventDefault()
    }
}
