const namespace = "http://www.w3.org/2000/svg"

/** Creates an SVG element with attributes and children. */
export function s<K extends keyof SVGElementTagNameMap>(
    tag: K,
    attributes: Record<string, string | number> = {},
    ...children: (Node | string)[]
): SVGElementTagNameMap[K] {
    const element = document.createElementNS(namespace, tag)
    set(element, attributes)
    element.append(...children)
    return element
}

/** Sets only the attributes that differ. */
export function set(element: Element, attributes: Record<string, string | number>): void {
    for (const [name, value] of Object.entries(attributes)) {
        const text = String(value)
        if (element.getAttribute(name) !== text) element.setAttribute(name, text)
    }
}
