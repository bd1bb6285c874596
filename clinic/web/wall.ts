import type { Observation } from "./api.ts"
import { h, setData, setText } from "../../browser/dom.ts"
import { now } from "./clock.ts"
import type { WardModel } from "./model.ts"
import { select, type Selection } from "./selection.ts"
import { SteadyList } from "./steady.ts"
import { t } from "./texts/language.ts"
import { Tile } from "./tile.ts"
import { Toolbar } from "./toolbar.ts"
import type { View } from "./view.ts"
import { bestGrid, type Box, type DigitShape } from "./wall-grid.ts"

/** Every patient in one tile, all tiles on one screen, numerals as large as they can be. */
export class WallView implements View {
    readonly element = h("main", { class: "wall" })
    readonly title = t.wall.heading
    private readonly model: WardModel
    private readonly selection: Selection
    private readonly isLink: boolean
    readonly tools: HTMLElement
    private readonly toolbar: Toolbar
    private readonly list = h("ul", { class: "tiles" })
    private readonly steady = new SteadyList(this.list)
    private readonly empty = h("p", { class: "empty" })
    private readonly tiles = new Map<number, Tile>()
    private readonly resize = new ResizeObserver(() => this.fit())
    private count = 0

    constructor(model: WardModel, selection: Selection, o: { isLink: boolean }) {
        this.model = model
        this.selection = selection
        this.isLink = o.isLink
        this.toolbar = new Toolbar(selection, () => this.update(now()), { withSearch: false })
        const heading = h("h1", { class: "spoken", tabindex: "-1" }, t.wall.heading)
        this.tools = this.toolbar.element
        this.element.append(heading, this.list, this.empty)
        this.resize.observe(this.list)
    }

    update(now: number): void {
        this.toolbar.showWards(this.model.wards())
        const found = select(this.model, this.selection, now)
        for (const id of this.tiles.keys()) if (!this.model.patient(id)) this.tiles.delete(id)
        const elements = found.map(patient => {
            let tile = this.tiles.get(patient.id)
            if (!tile) this.tiles.set(patient.id, (tile = new Tile(this.isLink)))
            tile.update(patient, this.model, now)
            return tile.element
        })
        this.steady.show(elements)
        setText(this.empty, found.length > 0 ? "" : t.ward.nobodyFound)
        if (this.list.children.length !== this.count) {
            this.count = this.list.children.length
            this.fit()
        }
    }

    add(_observation: Observation): void {}

    reload(): void {}

    close(): void {
        this.steady.close()
        this.resize.disconnect()
    }

    private fit(): void {
        const box: Box = { width: this.list.clientWidth, height: this.list.clientHeight }
        const { columns, rows, fontPx } = bestGrid(Math.max(1, this.count), box, digitShape())
        const { style } = this.list
        style.setProperty("--columns", String(columns))
        style.setProperty("--rows", String(rows))
        style.setProperty("--numeral", `${fontPx}px`)
        setData(this.list, "fits", String(fontPx > 0))
        // What scrolls has to be reached by keyboard, on a display without links, too.
        if (fontPx > 0) this.list.removeAttribute("tabindex")
        else this.list.tabIndex = 0
    }
}

let measured: DigitShape | undefined

/** Of the page's font. */
function digitShape(): DigitShape {
    if (measured) return measured
    const context = document.createElement("canvas").getContext("2d")
    const size = 200
    if (!context) return { width: 0.65, height: 0.75 }
    context.font = `500 ${size}px ${getComputedStyle(document.body).fontFamily}`
    const { width, actualBoundingBoxAscent } = context.measureText("0")
    return (measured = { width: width / size, height: actualBoundingBoxAscent / size })
}
