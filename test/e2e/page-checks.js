/* Runs inside the page under test; see clinic-page.test.ts. */
window.pageChecks = {
    /** Texts that do not stand out enough from their ground, WCAG 2.1 §1.4.3. */
    poorContrasts() {
        const poor = []
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
        while (walker.nextNode()) {
            const text = walker.currentNode.textContent.trim()
            const element = walker.currentNode.parentElement
            const { width, height } = element.getBoundingClientRect()
            const style = getComputedStyle(element)
            if (text === "" || width < 2 || height < 2 || style.visibility === "hidden") continue
            const sizePx = parseFloat(style.fontSize)
            const isLarge = sizePx >= 24 || (sizePx >= 18.66 && Number(style.fontWeight) >= 700)
            const ratio = contrast(rgb(style.color), ground(element))
            if (ratio < (isLarge ? 3 : 4.5)) poor.push(`${text}: ${ratio.toFixed(2)}`)
        }
        return poor
    },

    /** From now on, adds up how far things outside the list of alarms jump (Layout Instability API). */
    watchShifts() {
        window.shiftScore = 0
        new PerformanceObserver(list => {
            for (const { sources, value } of list.getEntries())
                if (sources.some(({ node }) => node?.parentElement?.closest("main, header"))) window.shiftScore += value
        }).observe({ type: "layout-shift" })
    },
}

function ground(element) {
    for (let at = element; at; at = at.parentElement) {
        const { backgroundColor } = getComputedStyle(at)
        if (!/^(transparent|rgba\(.*, 0\))$/.test(backgroundColor)) return rgb(backgroundColor)
    }
    throw new Error("no ground")
}

function rgb(color) {
    return color
        .match(/[\d.]+/g)
        .slice(0, 3)
        .map(Number)
}

function contrast(a, b) {
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x)
    return (light + 0.05) / (dark + 0.05)
}

function luminance(color) {
    const [r, g, b] = color.map(value => {
        const c = value / 255
        return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
