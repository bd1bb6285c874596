/** Link attributes, RFC 6690 §3 and RFC 7252 §7.2.1; numbers are written bare, texts in quotes, flags alone. */
export type LinkAttributes = Record<string, string | number | true>

export type Link = [target: string, attributes: LinkAttributes]

/** `</vitals>;rt="…";ct=17;obs,</alarms>…` */
export function linkFormat(links: Link[]): string {
    return links
        .map(([target, attributes]) => {
            const pairs = Object.entries(attributes).map(([name, value]) => {
                if (value === true) return `;${name}`
                return typeof value === "number" ? `;${name}=${value}` : `;${name}="${value}"`
            })
            return `<${target}>${pairs.join("")}`
        })
        .join(",")
}

/** Most links and characters that are looked at in what a mote says of itself. */
const maxLinks = 32
const maxChars = 2048

/** The links in a document; what is not in link format is left out, and so is whatever comes after it. */
export function parseLinks(text: string): Link[] {
    const links: Link[] = []
    const link = /\s*<([^<>"\s]*)>((?:;[a-z]+\*?(?:=(?:"[^"\\]*"|[^",;<>\s]+))?)*)\s*(?:,|$)/gy
    const attribute = /;([a-z]+\*?)(?:=(?:"([^"\\]*)"|([^",;<>\s]+)))?/g
    let at = 0
    while (at < Math.min(text.length, maxChars) && links.length < maxLinks) {
        link.lastIndex = at
        const found = link.exec(text)
        if (!found) break
        at = link.lastIndex
        const attributes: LinkAttributes = Object.create(null) as LinkAttributes
        for (const [, name, quoted, bare] of found[2]!.matchAll(attribute))
            attributes[name!] = quoted ?? (/^\d{1,9}$/.test(bare ?? "") ? Number(bare) : (bare ?? true))
        links.push([found[1]!, attributes])
    }
    return links
}

/** The links that match all parts of a query such as `rt=core.rd*` (RFC 6690 §4.1). */
export function matchingLinks(links: Link[], query: string[]): Link[] {
    return links.filter(link => query.every(criterion => matchesLink(link, criterion)))
}

/**
 * Whether a link matches one part of a query: `href` is the target, other names are attributes; a value may be one of
 * several in the attribute, and end with `*`.
 */
export function matchesLink([target, attributes]: Link, criterion: string): boolean {
    const [name = "", ...rest] = criterion.split("=")
    const wanted = rest.join("=")
    const value = name === "href" ? target : Object.hasOwn(attributes, name) ? attributes[name] : undefined
    if (value === undefined) return false
    const values = name === "href" ? [String(value)] : String(value).split(" ")
    return values.some(one => (wanted.endsWith("*") ? one.startsWith(wanted.slice(0, -1)) : one === wanted))
}
