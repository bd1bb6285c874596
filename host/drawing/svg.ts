export type Attributes = Record<string, string | number | undefined>

/** One SVG element. Attributes are escaped; children are markup already, text goes through `escape`. */
export function element(name: string, attributes: Attributes = {}, ...children: string[]): string {
    const pairs = Object.entries(attributes)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => ` ${key}="${escape(typeof value === "number" ? short(value) : value!)}"`)
    return `<${name}${pairs.join("")}${children.length ? `>${children.join("")}</${name}>` : "/>"}`
}

/** Text as markup. What XML 1.0 does not allow (section 2.2) becomes U+FFFD. */
export function escape(text: string): string {
    return text
        .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
        .replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}

/** A tenth of a pixel is as fine as anybody sees. */
export function short(value: number): string {
    return String(Math.round(value * 10) / 10)
}
