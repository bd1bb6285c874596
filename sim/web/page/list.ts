import { h } from "../../../browser/dom.ts"

const rowHeight = 22
/** The list follows new rows if it is scrolled to within this distance of its end. */
const followPixels = 30
const spareRows = 8

/** A virtual list: only visible rows exist in the document. It follows its end, unless the user scrolled up. */
export class LongList<Row extends { n: number }> {
    readonly element = h("div", { class: "list", tabindex: "0", role: "log" })
    /** Called when the user chooses a row. */
    chosen: (row: Row) => void = () => {}
    private readonly space = h("div", { class: "space" })
    private readonly draw: (row: Row) => HTMLElement
    private readonly max: number
    private all: Row[] = []
    private matching: Row[] = []
    private filter: (row: Row) => boolean = () => true
    private isFollowing = true
    private isDue = false
    private drawn = ""
    private marked = 0

    constructor(max: number, draw: (row: Row) => HTMLElement) {
        this.max = max
        this.draw = draw
        this.element.append(this.space)
        this.element.addEventListener("scroll", () => {
            const { scrollTop, scrollHeight, clientHeight } = this.element
            this.isFollowing = scrollHeight - scrollTop - clientHeight < followPixels
            this.due()
        })
        // A click can miss its row, if that is replaced between press and release.
        this.element.addEventListener("pointerdown", ({ target }) => {
            const n = Number((target as Element).closest<HTMLElement>(".row")?.dataset["n"])
            const row = this.matching.find(row => row.n === n)
            if (row) this.choose(row)
        })
        this.element.addEventListener("keydown", event => {
            const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
            if (!step || !this.marked) return
            const row = this.matching[this.matching.findIndex(({ n }) => n === this.marked) + step]
            if (!row) return
            event.preventDefault()
            this.choose(row)
            const at = this.matching.indexOf(row) * rowHeight
            const { scrollTop, clientHeight } = this.element
            if (at < scrollTop) this.element.scrollTop = at
            if (at + rowHeight > scrollTop + clientHeight) this.element.scrollTop = at + rowHeight - clientHeight
        })
        new ResizeObserver(() => this.due()).observe(this.element)
    }

    get shown(): number {
        return this.matching.length
    }

    get size(): number {
        return this.all.length
    }

    add(rows: Row[]): void {
        this.all.push(...rows)
        this.matching.push(...rows.filter(this.filter))
        if (this.all.length > 1.1 * this.max) {
            this.all = this.all.slice(-this.max)
            const first = this.all[0]!.n
            const gone = this.matching.findIndex(({ n }) => n >= first)
            this.matching.splice(0, gone < 0 ? this.matching.length : gone)
            if (!this.isFollowing) this.element.scrollTop -= Math.max(0, gone) * rowHeight
        }
        this.due()
    }

    clear(): void {
        this.all = []
        this.matching = []
        this.drawn = ""
        this.due()
    }

    only(filter: (row: Row) => boolean): void {
        this.filter = filter
        this.matching = this.all.filter(filter)
        this.isFollowing = true
        this.drawn = ""
        this.due()
    }

    /** Schedules a redraw, because the size or visibility has changed. */
    due(): void {
        if (this.isDue) return
        this.isDue = true
        requestAnimationFrame(() => {
            this.isDue = false
            this.render()
        })
    }

    private choose(row: Row): void {
        this.marked = row.n
        this.drawn = ""
        this.due()
        this.chosen(row)
    }

    private render(): void {
        const { element, space, matching } = this
        const height = `${matching.length * rowHeight}px`
        if (space.style.height !== height) space.style.height = height
        if (this.isFollowing) element.scrollTop = element.scrollHeight
        const from = Math.max(0, Math.floor(element.scrollTop / rowHeight) - spareRows)
        const count = Math.ceil(element.clientHeight / rowHeight) + 2 * spareRows
        const rows = matching.slice(from, from + count)
        const drawn = `${from} ${rows[0]?.n} ${rows.at(-1)?.n} ${rows.length}`
        if (drawn === this.drawn) return
        this.drawn = drawn
        space.replaceChildren(
            ...rows.map((row, i) => {
                const line = this.draw(row)
                line.classList.add("row")
                line.dataset["n"] = String(row.n)
                if (row.n === this.marked) line.classList.add("marked")
                line.style.top = `${(from + i) * rowHeight}px`
                return line
            }),
        )
    }
}
