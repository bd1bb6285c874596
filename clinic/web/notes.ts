import { addNote, notesOf, type Note, type Session } from "./api.ts"
import { h, setText } from "../../browser/dom.ts"
import { dateTime } from "./format.ts"
import { t } from "./texts/language.ts"

/** Somebody else may write, too. */
const refreshMs = 60_000
const maxLength = 1000

export interface NoteEvents {
    /** All that are known. */
    known(notes: readonly Note[]): void
    /** Somebody wants to see what the charts show of that time. */
    wanted(note: Note): void
}

let views = 0

/** What nurses and doctors wrote about a patient, the newest first, and a small entry for one more. */
export class NotesView {
    readonly element = h("section", { class: "notes", "aria-label": t.notes.heading })
    private readonly patient: number
    private readonly events: NoteEvents
    private readonly list = h("ol", { class: "notes-list" })
    private readonly state = h("p", { class: "notes-state", role: "status" })
    private readonly text: HTMLTextAreaElement
    private readonly button = h("button", {}, t.notes.add)
    private readonly timer: number | undefined
    private notes: readonly Note[] = []

    constructor(patient: number, user: Session, events: NoteEvents) {
        this.patient = patient
        this.events = events
        const id = `note-${views++}`
        this.text = h("textarea", { id, rows: "2", maxlength: String(maxLength), required: "" })
        const form = h("form", { class: "notes-form" }, h("label", { for: id }, t.notes.text), this.text, this.button)
        form.addEventListener("submit", event => {
            event.preventDefault()
            void this.add()
        })
        this.element.append(h("h2", {}, t.notes.heading), form, this.state, this.list)
        this.element.hidden = !user.permissions.includes("note")
        if (this.element.hidden) return
        this.timer = window.setInterval(() => void this.load(), refreshMs)
        void this.load()
    }

    close(): void {
        clearInterval(this.timer)
    }

    private async load(): Promise<void> {
        try {
            const { notes, isWhole } = await notesOf(this.patient)
            this.show(notes)
            setText(this.state, notes.length === 0 ? t.notes.none : isWhole ? "" : t.notes.notWhole)
        } catch (error) {
            setText(this.state, t.notes.notLoaded((error as Error).message))
        }
    }

    private async add(): Promise<void> {
        this.button.disabled = true
        try {
            const note = await addNote(this.patient, this.text.value)
            this.text.value = ""
            this.show([note, ...this.notes])
            setText(this.state, t.notes.added)
        } catch (error) {
            setText(this.state, t.notes.failed((error as Error).message))
        } finally {
            this.button.disabled = false
        }
    }

    private show(notes: readonly Note[]): void {
        if (notes.length === this.notes.length && notes.every(({ id }, i) => id === this.notes[i]?.id)) return
        this.notes = notes
        this.list.replaceChildren(...notes.map(note => this.item(note)))
        this.events.known(notes)
    }

    private item(note: Note): HTMLElement {
        const when = dateTime(note.time)
        const show = h("button", { type: "button", class: "quiet small", "aria-label": t.notes.show(when) }, when)
        show.addEventListener("click", () => this.events.wanted(note))
        const by = h("span", { class: "notes-by" }, show, note.by)
        return h("li", {}, by, h("p", {}, note.text))
    }
}
