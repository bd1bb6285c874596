/** Colours of the theme for what is drawn and not styled; read once a theme. */
const query = matchMedia("(prefers-color-scheme: light)")
let style: CSSStyleDeclaration | undefined
let known = new Map<string, string>()

query.addEventListener("change", () => (known = new Map()))

/** Of a CSS variable such as `--hr`. */
export function colour(name: string): string {
    let value = known.get(name)
    if (value === undefined) {
        style ??= getComputedStyle(document.documentElement)
        known.set(name, (value = style.getPropertyValue(name)))
    }
    return value
}

export function onTheme(changed: () => void): () => void {
    query.addEventListener("change", changed)
    return () => query.removeEventListener("change", changed)
}
