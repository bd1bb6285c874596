interface Point {
    x: number
    y: number
}

/** Margins for controls over the map, and for labels below nodes. */
const marginPixels = { x: 70, top: 80, bottom: 50 }
/** Minimum extent of the view, for nodes at the same position. */
const leastMetres = 20
const minScale = 0.01
const maxScale = 200
const gridPixels = 60
const scaleBarPixels = 90

/** The visible section of the map: metres to pixels, y downwards. */
export class View {
    width = 0
    height = 0
    isFitted = false
    /** Pixels per metre. */
    scale = 4
    private left = 0
    private top = 0

    resize(width: number, height: number): void {
        this.left += (width - this.width) / 2
        this.top += (height - this.height) / 2
        this.width = width
        this.height = height
    }

    toScreen({ x, y }: Point): Point {
        return { x: this.left + x * this.scale, y: this.top + y * this.scale }
    }

    /** Shows all points. */
    fit(points: readonly Point[]): void {
        if (!points.length || !this.width) return
        const xs = points.map(({ x }) => x)
        const ys = points.map(({ y }) => y)
        const [minX, maxX] = [Math.min(...xs), Math.max(...xs)]
        const [minY, maxY] = [Math.min(...ys), Math.max(...ys)]
        const width = Math.max(maxX - minX, leastMetres)
        const height = Math.max(maxY - minY, leastMetres)
        this.scale = Math.min(
            Math.max(this.width - 2 * marginPixels.x, 50) / width,
            Math.max(this.height - marginPixels.top - marginPixels.bottom, 50) / height,
        )
        this.left = this.width / 2 - ((minX + maxX) / 2) * this.scale
        const middle = (this.height + marginPixels.top - marginPixels.bottom) / 2
        this.top = middle - ((minY + maxY) / 2) * this.scale
        this.isFitted = true
    }

    pan(dx: number, dy: number): void {
        this.left += dx
        this.top += dy
    }

    /** Zooms around x, y. */
    zoom(factor: number, x = this.width / 2, y = this.height / 2): void {
        const scale = Math.min(maxScale, Math.max(minScale, this.scale * factor))
        const change = scale / this.scale
        this.left = x - (x - this.left) * change
        this.top = y - (y - this.top) * change
        this.scale = scale
    }

    /** Grid lines as an SVG path. */
    grid(): string {
        const step = roundStep(gridPixels / this.scale) * this.scale
        const lines: string[] = []
        for (let x = this.left % step; x < this.width; x += step) lines.push(`M${x.toFixed(1)} 0V${this.height}`)
        for (let y = this.top % step; y < this.height; y += step) lines.push(`M0 ${y.toFixed(1)}H${this.width}`)
        return lines.join("")
    }

    scaleBar(): { metres: number; pixels: number } {
        const metres = roundStep(scaleBarPixels / this.scale)
        return { metres, pixels: metres * this.scale }
    }
}

/** A round number (1, 2 or 5 times a power of ten) near the value. */
function roundStep(value: number): number {
    const power = 10 ** Math.floor(Math.log10(value))
    const digit = value / power
    return Number(((digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10) * power).toPrecision(3))
}
