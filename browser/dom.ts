type Child = Node | string

/** An element with attributes and children. Texts become text nodes, so nothing in them is ever read as markup. */
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

/** Changes the text only where it differs: the page is refreshed every second. */
export function setText(element: Element, text: string): void {
    if (element.textContent !== text) element.textContent = text
}

export function setData(element: HTMLElement, name: string, value: string): void {
    if (element.dataset[name] !== value) element.dataset[name] = value
}
