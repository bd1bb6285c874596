import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { bestGrid, pixelsFor } from "../../clinic/web/wall-grid.ts"

const hd = { diagonalInch: 24, widthPx: 1920, heightPx: 1080 }

test("20 minutes of arc at three metres are 63 pixels of a 24-inch screen", () => {
    assert.ok(Math.abs(pixelsFor(20, 3000, hd) - 63.07) < 0.01)
    // The eye sees something of that height under that angle.
    const mm = (63.07 * 24 * 25.4) / Math.hypot(1920, 1080)
    assert.ok(Math.abs((Math.atan(mm / 3000) * 180 * 60) / Math.PI - 20) < 0.01)
})

test("every tile has room, and no other grid has larger numerals", () => {
    const size = fc.integer({ min: 200, max: 4000 })
    const digit = { width: 0.64, height: 0.73 }
    fc.assert(
        fc.property(fc.integer({ min: 1, max: 60 }), size, size, (count, width, height) => {
            const { columns, rows, fontPx } = bestGrid(count, { width, height }, digit)
            assert.ok(columns * rows >= count && (columns - 1) * rows < count + rows)
            if (fontPx === 0) return
            assert.ok(6 * digit.width * fontPx < width / columns)
            assert.ok(2 * digit.height * fontPx < height / rows)
            const { fontPx: fewer } = bestGrid(count + 1, { width, height }, digit)
            assert.ok(fewer <= fontPx)
        }),
    )
})
