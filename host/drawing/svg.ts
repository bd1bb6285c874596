export type Attributes = Record<string, string | number | undefined>

/** Returns one SVG element. Attributes are escaped here. Children are markup: pass text through `escape` first. */
export function element(name: string, attributes: Attributes = {}, ...children: string[]): string {
    const pairs = Object.entries(attributes)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => ` ${key}="${escape(typeof value === "number" ? short(value) : value!)}"`)
    return `<${name}${pairs.join("")}${children.length ? `>${children.join("")}</${name}>` : "/>"}`
}

/** Escapes text for markup. Characters that XML 1.0 does not allow (section 2.2) become U+FFFD. */
export function escape(text: string): string {
    return text
        .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
        .replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}

/** Rounds to a tenth of a pixel; finer differences are invisible. */
export function short(value: number): string {
    return String(Math.round(value * 10) / 10)
}
