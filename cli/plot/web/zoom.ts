import { drawFigure, type Range } from "../draw.ts"
import { durationS, type Figure } from "../figure.ts"
import { plotArea } from "../panel.ts"

/** The shortest range in seconds. A shorter one would show only lines between samples. */
const shortestS = 2
/** The zoom factor per turn of the wheel. */
const wheelFactor = 1.25
/** A shorter drag counts as a click. */
const clickPixels = 4

const figure = JSON.parse(document.querySelector("#data")!.textContent) as Figure
const picture = document.querySelector<HTMLElement>("#picture")!
const reset = document.querySelector<HTMLButtonElement>("#reset")!
const whole: Range = { from: 0, to: durationS(figure) }
let shown = whole
let drag: { startX: number; mark: HTMLElement } | undefined

picture.addEventListener("pointerdown", event => {
    if (event.button !== 0) return
    drag = { startX: event.clientX, mark: document.createElement("div") }
    drag.mark.className = "mark"
    picture.append(drag.mark)
    picture.setPointerCapture(event.pointerId)
})
picture.addEventListener("pointermove", event => {
    if (!drag) return
    const { left } = picture.getBoundingClientRect()
    drag.mark.style.left = `${Math.min(drag.startX, event.clientX) - left}px`
    drag.mark.style.width = `${Math.abs(event.clientX - drag.startX)}px`
})
picture.addEventListener("pointerup", event => {
    if (!drag) return
    const ends = [timeAt(drag.startX), timeAt(event.clientX)].sort((a, b) => a - b)
    const isClick = Math.abs(event.clientX - drag.startX) < clickPixels
    endDrag()
    if (!isClick) show({ from: ends[0]!, to: ends[1]! })
})
picture.addEventListener("pointercancel", endDrag)
picture.addEventListener("dblclick", () => show(whole))
picture.addEventListener(
    "wheel",
    event => {
        const isOut = event.deltaY > 0
        if (event.ctrlKey || event.deltaY === 0 || (isOut && shown === whole)) return
        event.preventDefault()
        const at = timeAt(event.clientX)
        const factor = isOut ? wheelFactor : 1 / wheelFactor
        show({ from: at - (at - shown.from) * factor, to: at + (shown.to - at) * factor })
    },
    { passive: false },
)
reset.addEventListener("click", () => show(whole))
addEventListener("keydown", event => {
    const step = (shown.to - shown.from) / 4
    if (event.key === "Escape") show(whole)
    if (event.key === "ArrowLeft") show({ from: shown.from - step, to: shown.to - step })
    if (event.key === "ArrowRight") show({ from: shown.from + step, to: shown.to + step })
})

/** Draws a part of the recording, at least `shortestS` long. */
function show({ from, to }: Range): void {
    const length = Math.min(whole.to, Math.max(shortestS, to - from))
    const start = Math.min(whole.to - length, Math.max(0, (from + to - length) / 2))
    shown = length === whole.to ? whole : { from: start, to: start + length }
    reset.hidden = shown === whole
    picture.innerHTML = drawFigure(figure, shown)
}

function timeAt(clientX: number): number {
    const { left, width } = picture.firstElementChild!.getBoundingClientRect()
    const x = ((clientX - left) / width) * plotArea.width
    const share = (x - plotArea.left) / (plotArea.right - plotArea.left)
    return shown.from + Math.min(1, Math.max(0, share)) * (shown.to - shown.from)
}

function endDrag(): void {
    drag?.mark.remove()
    drag = undefined
}
