/* Signs as lines on 24 × 24: those of fonts are boxes where a font has none. */

const namespace = "http://www.w3.org/2000/svg"
const loudspeaker = "M4 9v6h4l5 4V5L8 9Z"

const paths = {
    soundOn: `${loudspeaker} M16 9a4 4 0 0 1 0 6 M18.5 6.5a8 8 0 0 1 0 11`,
    soundOff: `${loudspeaker} M16 9.5l5 5 M21 9.5l-5 5`,
    warning: "M12 3 22 20H2Z M12 9.5v5 M12 17.2v.3",
    check: "M5 12.5l5 5 9-11",
} as const

export type IconName = keyof typeof paths

/** It takes the size and the colour of the text around it, and is nothing to a screen reader. */
export function icon(name: IconName): SVGElement {
    const svg = document.createElementNS(namespace, "svg")
    for (const [attribute, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }))
        svg.setAttribute(attribute, value)
    const path = document.createElementNS(namespace, "path")
    path.setAttribute("d", paths[name])
    svg.append(path)
    return svg
}
