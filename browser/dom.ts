type Child = Node | string

/** Creates an element with attributes and children. Strings become text nodes, so they are never parsed as markup. */
export function h<K extends keyof HTMLElementTagNameMap>(
    tag: K,
    attributes: Record<string, string> = {},
    ...children: Child[]
): HTMLElementTagNameMap[K] {
    const element = document.createElement(tag)
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
    element.append(...children)
    return element
}

/** Sets the text only if it differs, because pages refresh every second. */
export function setText(element: Element, text: string): void {
    if (element.textContent !== text) element.textContent = text
}

export function setData(element: HTMLElement, name: string, value: string): void {
    if (element.dataset[name] !== value) element.dataset[name] = value
}
