/* How large numerals can be. No DOM in here: it is tested without a browser. */

export interface Box {
    width: number
    height: number
}

/** Of the font in use, in ems: how wide a digit is, and how high. */
export interface DigitShape {
    width: number
    height: number
}

/** Pixels of a tile that are no numerals: frame, gap and padding; the line with bed and name; the label above a numeral. */
const frame = { across: 18, down: 16, head: 21, label: 12 }
/** A numeral's line is as high as its digits, and a little. */
const lineHeight = 1.06
/** Two numerals of three digits stand side by side, with a gap. */
const digitsAcross = 6
const gapEm = 0.3
/** Numerals smaller than this are for nobody who stands. */
const leastPx = 22

/** Columns and rows that give `count` tiles the largest numerals in a box. Where even those are too small, the list scrolls. */
export function bestGrid(
    count: number,
    box: Box,
    digit: DigitShape,
): { columns: number; rows: number; fontPx: number } {
    let best = { columns: 1, rows: count, fontPx: 0 }
    for (let columns = 1; columns <= count; columns++) {
        const rows = Math.ceil(count / columns)
        const width = box.width / columns - frame.across
        const height = (box.height / rows - frame.down - frame.head) / 2 - frame.label
        const fontPx = Math.min(width / (digitsAcross * digit.width + gapEm), height / (lineHeight * digit.height))
        if (fontPx > best.fontPx) best = { columns, rows, fontPx }
    }
    return best.fontPx >= leastPx ? { ...best, fontPx: Math.floor(best.fontPx * 10) / 10 } : { ...best, fontPx: 0 }
}

/** A screen, as its maker describes it. */
export interface Display {
    diagonalInch: number
    widthPx: number
    heightPx: number
}

const mmPerInch = 25.4

/**
 * How high something has to be, in pixels, to be seen under an angle of so many minutes of arc from a distance: the tangent of the angle times
 * the distance, by the size of a pixel. At 20 minutes, which is what text wants (ISO 9241-303), from 3 m on a 24" screen of
 * 1920 × 1080: 17.45 mm of 0.2767 mm each, 63.1 pixels.
 */
export function pixelsFor(minutes: number, distanceMm: number, { diagonalInch, widthPx, heightPx }: Display): number {
    const pixelMm = (diagonalInch * mmPerInch) / Math.hypot(widthPx, heightPx)
    return (distanceMm * Math.tan(((minutes / 60) * Math.PI) / 180)) / pixelMm
}
