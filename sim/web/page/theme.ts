/** Colours of the style sheet, for canvases. */
export interface Theme {
    text: string
    dim: string
    line: string
    panel: string
    bad: string
    accent: string
    states: string[]
    protocols: Record<string, string>
}

const protocols = ["ACK", "RPL", "ICMPv6", "TCP", "CoAP", "UDP", "6LoWPAN"]

let current: Theme | undefined
matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => (current = undefined))

export function theme(): Theme {
    if (current) return current
    const style = getComputedStyle(document.documentElement)
    const colour = (name: string) => style.getPropertyValue(`--${name}`).trim()
    current = {
        ...{ text: colour("text"), dim: colour("dim"), line: colour("line") },
        ...{ panel: colour("panel"), bad: colour("bad"), accent: colour("accent") },
        states: ["off", "listen", "receive", "transmit"].map(state => colour(`radio-${state}`)),
        protocols: Object.fromEntries(protocols.map(name => [name, colour(`protocol-${name.toLowerCase()}`)])),
    }
    return current
}

/** Prepares a sharp canvas: its size is in device pixels, drawing in CSS pixels. */
export function prepare(canvas: HTMLCanvasElement, width: number, height: number) {
    const ratio = devicePixelRatio || 1
    const pixels = [Math.round(width * ratio), Math.round(height * ratio)] as const
    if (canvas.width !== pixels[0]) canvas.width = pixels[0]
    if (canvas.height !== pixels[1]) canvas.height = pixels[1]
    canvas.style.height = `${height}px`
    const context = canvas.getContext("2d")!
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    context.clearRect(0, 0, width, height)
    return context
}
